"""The form of a person or a company: text by field, what was there when it was opened, and what clashes since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from apps.audience.fields import CUSTOM_TYPE, Kind, LocalField, kind_of
from apps.audience.models import Company, Owner, Person, Record
from apps.audience.services.values import BadValues, fields_of, texts_of
from apps.console.records import GROUPS
from apps.domain.values import clean_text, domain_of
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.steps import active_steps, returning_fields

_WAS = "was:"
_MOST_OWNERS = 500
_MODES = {Kind.INTEGER: "numeric", Kind.DECIMAL: "decimal"}
_OWN_KINDS = frozenset({Kind.LONG_TEXT, Kind.BOOLEAN, Kind.PICKLIST, Kind.MULTIPICKLIST, Kind.DATETIME, Kind.URL})
_HINTS = {
    "company": "Its name or website, as it is listed under Companies.",
    "person": "Their e-mail address, or their name.",
    "website": "Its domain finds the account in Salesforce.",
}


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that somebody else changed since the form was opened. ``mine`` is None where it was not touched."""

    name: str
    label: str
    now: str
    mine: str | None = None


class RecordForm(forms.Form):
    """Text by field. Beside each a hidden text says what was there when the form was opened, so that a form that was
    overtaken changes only what its user touched."""

    version = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, local_type: str, record: Record | None = None) -> None:
        super().__init__(data)
        self.known = fields_of(local_type)
        self.local_type = local_type
        self.texts = shown_texts(local_type, record) if record is not None else dict.fromkeys(self.known, "")
        ruled = _returning(local_type, record)
        for name, target in self.known.items():
            self.fields[name] = _field(target, self.texts[name], record, name in ruled)
            self.fields[_WAS + name] = forms.CharField(
                required=False, strip=False, initial=self.texts[name], widget=forms.HiddenInput
            )
        if record is not None:
            self.fields["version"].initial = record.version

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in the groups of the record's page; the others under "More", the tenant's own last."""
        wanted = {title: list(names) for title, names in GROUPS[self.local_type].items()}
        if self.local_type == "person":
            wanted["Work"].insert(0, "company")
        if kind_of(self.local_type) == CUSTOM_TYPE:
            wanted["Record"] += ["person", "company"]
        placed = {name for names in wanted.values() for name in names}
        own = [name for name in self.known if name.startswith("custom:")]
        more = [name for name in self.known if name not in placed and name not in own]
        wanted |= {"More": more, "Custom fields": own}
        return [(title, [self[name] for name in names]) for title, names in wanted.items() if names]

    @property
    def hidden(self) -> list[forms.BoundField]:
        """What was there, and the version that was seen."""
        return [self["version"], *(self[_WAS + name] for name in self.known)]

    def typed(self) -> dict[str, str]:
        """What stands in the form, by field."""
        return {name: clean_text(str(self.cleaned_data.get(name) or "")) for name in self.known}

    def touched(self) -> dict[str, str]:
        """What its user changed, by field."""
        was = {name: clean_text(self.cleaned_data.get(_WAS + name) or "") for name in self.known}
        return {name: text for name, text in self.typed().items() if text != was[name]}

    def seen_version(self) -> int:
        """The version that the form was opened on; 0 for none."""
        return self.cleaned_data.get("version") or 0

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Put words beside their fields."""
        for name, words in errors.items():
            self.add_error(name if name in self.fields else None, words)


def shown_texts(local_type: str, record: Record) -> dict[str, str]:
    """What a record holds as its form shows it: a company by its name, a person by their address."""
    texts = texts_of(local_type, record)
    company = getattr(record, "company", None) if "company" in texts else None
    person = getattr(record, "person", None) if "person" in texts else None
    named = {"company": company.name} if company is not None else {}
    return texts | named | ({"person": person.email or person.display_name} if person is not None else {})


def to_values(typed: Mapping[str, str]) -> dict[str, str]:
    """Text as the services read it: a company or person that is named becomes its id. Raises BadValues."""
    company, person = typed.get("company"), typed.get("person")
    named = {"company": str(_company_named(company).pk)} if company else {}
    return {**typed, **named, **({"person": str(_person_named(person).pk)} if person else {})}


def _person_named(text: str) -> Person:
    found: list[Person] = list(Person.objects.filter(email_key=text.lower())[:1])
    first, _, last = text.lower().rpartition(" ")
    if not found:
        found = list(Person.objects.filter(last_key=last, first_key=first)[:2])
    if not found:
        raise BadValues({"person": "Nobody has this e-mail address or name. Add them first, or leave this empty."})
    if len(found) > 1:
        raise BadValues({"person": "Several people are called so. Type the e-mail address of the right one."})
    return found[0]


def _company_named(text: str) -> Company:
    found: list[Company] = list(Company.objects.filter(name_key=text.lower())[:2])
    domain = domain_of(text)
    if not found and domain:
        found = list(Company.objects.filter(domain=domain)[:2])
    if not found:
        raise BadValues({"company": "No company is called so. Add it first, or leave this empty."})
    if len(found) > 1:
        raise BadValues({"company": "Several companies are called so. Type the website of the right one."})
    return found[0]


def clashes(form: RecordForm, record: Record) -> list[Clash]:
    """What somebody else changed since the form was opened, and differs from what now stands in it."""
    now = shown_texts(form.local_type, record)
    typed, touched = form.typed(), form.touched()
    found = []
    for name, target in form.known.items():
        mine, theirs = typed[name], clean_text(now.get(name, ""))
        was = clean_text(form.cleaned_data.get(_WAS + name) or "")
        if theirs != was and mine != theirs:
            found.append(Clash(name, target.label, theirs, mine if name in touched else None))
    return found


def kept_values(form: RecordForm, record: Record, found: Iterable[Clash]) -> list[tuple[str, str]]:
    """What the conflict page carries on unseen: all that nobody has to choose, and what each field holds now."""
    now = shown_texts(form.local_type, record)
    asked = {clash.name for clash in found if clash.mine is not None}
    touched = form.touched()
    kept = [(name, touched.get(name, now.get(name, ""))) for name in form.known if name not in asked]
    return [*kept, *((_WAS + name, now.get(name, "")) for name in form.known), ("version", str(record.version))]


def _returning(local_type: str, record: Record | None) -> set[str]:
    connection = live_connection()
    if connection is None:
        return set()
    return returning_fields(active_steps(connection, local_type), record.leading_sobject if record else "")


def _field(target: LocalField, text: str, record: Record | None, is_ruled: bool) -> forms.Field:
    hint = _HINTS.get(target.name, "")
    if is_ruled and record is not None and record.is_linked:
        hint = f"Salesforce rules this field: after a change here its value returns. {hint}"
    elif is_ruled:
        hint = f"Once linked, Salesforce's value stands here. {hint}"
    options: dict[str, Any] = {"label": target.label, "required": False, "initial": text, "help_text": hint.strip()}
    if target.name == "owner":
        return forms.ChoiceField(choices=_owners(text), **options)
    if target.kind is Kind.DATE:
        return forms.CharField(widget=forms.DateInput(attrs={"type": "date"}), **options)
    if target.name in {"description", "street", "billing_street"}:
        rows = 5 if target.name == "description" else 2
        return forms.CharField(widget=forms.Textarea(attrs={"rows": rows}), **options)
    if target.kind in _OWN_KINDS:
        return _own_field(target, text, options)
    attrs = {"inputmode": _MODES[target.kind]} if target.kind in _MODES else {}
    if target.kind is Kind.EMAIL:
        attrs = {"inputmode": "email", "autocapitalize": "none"}
    return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}), **options)


def _own_field(target: LocalField, text: str, options: dict[str, Any]) -> forms.Field:
    """The control of a kind that only custom fields have; what a record holds stays choosable."""
    if target.kind is Kind.LONG_TEXT:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **options)
    if target.kind is Kind.BOOLEAN:
        return forms.ChoiceField(choices=[("", "—"), ("true", "Yes"), ("false", "No")], **options)
    if target.kind is Kind.PICKLIST:
        kept = [text] if text and text not in target.options else []
        return forms.ChoiceField(choices=[("", "—"), *((one, one) for one in [*target.options, *kept])], **options)
    hints = {
        Kind.MULTIPICKLIST: f"Several are parted by semicolons. There are: {'; '.join(target.options[:20])}.",
        Kind.DATETIME: "Such as 2026-01-31T14:30Z.",
        Kind.URL: "Such as https://example.com.",
    }
    options["help_text"] = f"{options['help_text']} {hints[target.kind]}".strip()
    return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}), **options)


def _owners(chosen: str) -> list[tuple[str, str]]:
    """Owners to choose from; the present one stays choosable even where they are inactive."""
    rows = Owner.objects.filter(is_active=True).order_by("name", "id")[:_MOST_OWNERS]
    found = {str(row.pk): row.name for row in rows}
    if chosen and chosen not in found:
        found |= {str(row.pk): f"{row.name} (inactive)" for row in Owner.objects.filter(id=int(chosen))}
    return [("", "Nobody"), *found.items()]
