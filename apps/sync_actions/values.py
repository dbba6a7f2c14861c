"""What conditions and templates of rules see: the record's fields in canonical text, and the event's facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.audience.fields import Kind, plain_text
from apps.audience.models import Company, Owner, Person, Source
from apps.audience.services.values import fields_of, texts_of
from apps.domain.automation import Trigger
from apps.domain.values import FieldType, clean_text

EVENT = "event:"
"""What the names of the event's facts begin with."""
_TYPES = {
    Kind.TEXT: FieldType.STRING,
    Kind.EMAIL: FieldType.EMAIL,
    Kind.INTEGER: FieldType.INT,
    Kind.DECIMAL: FieldType.DOUBLE,
    Kind.DATE: FieldType.DATE,
    Kind.REFERENCE: FieldType.STRING,
    Kind.LONG_TEXT: FieldType.STRING,
    Kind.DATETIME: FieldType.DATETIME,
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.PICKLIST: FieldType.STRING,
    Kind.MULTIPICKLIST: FieldType.STRING,
    Kind.URL: FieldType.URL,
}
_PLAIN = ("score", "email_opt_out", "source", "leading_sobject")
_SOURCES = tuple((one.value, one.value.capitalize()) for one in Source)
_ALWAYS = ("event:subject", "Event: subject")
_FORM = (_ALWAYS, ("event:form", "Event: form"), ("event:url", "Event: URL"), ("event:campaign", "Event: campaign"))
_EMAIL = (_ALWAYS, ("event:email", "Event: e-mail"), ("event:campaign", "Event: campaign"))
_LIST = (("event:list", "Event: list"),)
_FACTS: dict[Trigger, tuple[tuple[str, str], ...]] = {
    Trigger.FORM_SUBMITTED: (*_FORM, ("event:channel", "Event: channel"), ("event:source", "Event: source")),
    Trigger.PAGE_VISITED: (_ALWAYS, ("event:url", "Event: URL"), ("event:campaign", "Event: campaign")),
    Trigger.EMAIL_OPENED: _EMAIL,
    Trigger.EMAIL_CLICKED: (*_EMAIL, ("event:link", "Event: link")),
    Trigger.BOUNCED: (*_EMAIL, ("event:bounce", "Event: bounce")),
    Trigger.UNSUBSCRIBED: _EMAIL,
    Trigger.LIST_JOINED: _LIST,
    Trigger.LIST_LEFT: _LIST,
}
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """A field that conditions may look at and templates may name."""

    name: str
    label: str
    type: FieldType
    choices: tuple[tuple[str, str], ...] = ()


def seen_fields(trigger: str) -> list[Seen]:
    """Every field that a rule with this trigger sees."""
    found = [Seen(name, one.label, _TYPES[one.kind]) for name, one in fields_of("person").items()]
    found += [
        Seen("score", "Score", FieldType.INT),
        Seen("email_opt_out", "E-mail opt-out", FieldType.BOOLEAN),
        Seen("source", "Came from", FieldType.STRING, _SOURCES),
        Seen("leading_sobject", "In Salesforce as", FieldType.STRING, (("Lead", "Lead"), ("Contact", "Contact"))),
    ]
    facts = _FACTS.get(Trigger(trigger), ()) if trigger in set(Trigger) else ()
    return found + [Seen(name, label, FieldType.STRING) for name, label in facts]


def values_of(person: Person, details: Mapping[str, Any]) -> dict[str, str]:
    """What the person holds, by field, references by their names; and the event's facts."""
    values = texts_of("person", person)
    values["company"] = _named(Company, person.company_id)
    values["owner"] = _named(Owner, person.owner_id)
    for name in _PLAIN:
        value = getattr(person, name)
        values[name] = str(value).lower() if isinstance(value, bool) else plain_text(value)
    for name, fact in details.items():
        if isinstance(fact, str | int | float):
            values[f"{EVENT}{name}"] = clean_text(str(fact))[:_LONGEST]
    return values


def _named(model: type[Company] | type[Owner], record_id: int | None) -> str:
    if record_id is None:
        return ""
    found = model.objects.filter(id=record_id).first()
    return str(found) if found is not None else ""
