"""What actions can be told: choices from what is here, and from what the org is made of as it was last read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from apps.audience.fields import Kind
from apps.audience.models import List, ListKind, Sequence
from apps.audience.services.values import fields_of
from apps.domain.actions import Action, Needs, Param
from apps.domain.rows import EXTERNAL_ID, OPT_OUT
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection, ReferenceItem, ReferenceKind
from apps.notifications.models import WebhookEndpoint
from apps.sync_actions.acting import TODAY
from apps.tenants.models import Membership

Choice = tuple[str, str]
_MOST = 1_000
_PEOPLE = ("Lead", "Contact")
FREE = frozenset({Needs.MEMBER_STATUS, Needs.TASK_PRIORITY, Needs.TASK_STATUS, Needs.STAGE})
"""Where another value than those offered may be meant: what is offered was read a while ago."""


@dataclass
class Choices:
    """The choices of one tenant, each looked up once."""

    connection: Connection | None
    _known: dict[Needs, list[Choice]] = field(default_factory=dict)

    def of(self, param: Param) -> list[Choice]:
        """What may be chosen: (value, label)."""
        if param.needs is Needs.CHOICE:
            return list(param.choices)
        if param.needs not in self._known:
            find = _FINDERS.get(param.needs)
            self._known[param.needs] = find(self.connection) if find is not None else []
        return self._known[param.needs]

    def label(self, param: Param, value: str) -> str:
        """A value as people call it."""
        return dict(self.of(param)).get(value, value)

    def sentence(self, action: Action) -> str:
        """What an action does, in a sentence."""
        words = action.spec.words
        for param in action.spec.params:
            words = words.replace(f"{{{param.name}}}", self.label(param, action.get(param.name)))
        return words


def is_chosen(param: Param) -> bool:
    """Whether a value is chosen from a list."""
    return param.needs is Needs.CHOICE or param.needs in _FINDERS


def _lists(_: Connection | None) -> list[Choice]:
    rows = List.objects.filter(is_active=True, is_archived=False).order_by("name_key", "id")
    return [(str(row.pk), row.name) for row in rows[:_MOST]]


def _sequences(_: Connection | None) -> list[Choice]:
    rows = Sequence.objects.filter(is_active=True).order_by("name_key", "id")
    return [(str(row.pk), row.name) for row in rows[:_MOST]]


def _fields(_: Connection | None, *, kinds: Iterable[Kind]) -> list[Choice]:
    wanted = set(kinds)
    return [(name, one.label) for name, one in fields_of("person").items() if one.kind in wanted]


def _starts(connection: Connection | None) -> list[Choice]:
    return [(TODAY, "the day it runs"), *_fields(connection, kinds=[Kind.DATE])]


def _members(_: Connection | None) -> list[Choice]:
    rows = Membership.objects.select_related("user").order_by("id")
    return [(str(row.pk), row.user.display_name) for row in rows[:_MOST]]


def _endpoints(_: Connection | None) -> list[Choice]:
    return [(str(row.pk), row.name) for row in WebhookEndpoint.objects.filter(is_enabled=True).order_by("name", "id")]


def _campaigns(_: Connection | None) -> list[Choice]:
    rows = List.objects.filter(kind=ListKind.CAMPAIGN, is_active=True).exclude(remote_id="").order_by("name_key", "id")
    return [(row.remote_id, row.name) for row in rows[:_MOST]]


def _references(connection: Connection | None, *, kinds: Iterable[tuple[ReferenceKind, str]]) -> list[Choice]:
    if connection is None:
        return []
    found: list[Choice] = []
    for kind, words in kinds:
        rows = ReferenceItem.objects.filter(connection=connection, kind=kind, is_active=True).order_by("label", "key")
        found += [(row.key, f"{row.label}{words}") for row in rows[:_MOST]]
    return found


def _picklist(connection: Connection | None, *, sobject: str, name: str) -> list[Choice]:
    schema = cached_schema(connection, sobject) if connection is not None else None
    known = schema.fields.get(name) if schema is not None else None
    return list(known.picklist) if known is not None else []


def _remote_fields(connection: Connection | None) -> list[Choice]:
    """Fields of leads and contacts that the sync user may write. Consent is not for rules to give back."""
    if connection is None:
        return []
    labels: dict[str, str] = {}
    on: dict[str, list[str]] = {}
    for sobject in _PEOPLE:
        schema = cached_schema(connection, sobject)
        for one in schema.fields.values() if schema is not None else ():
            if one.updateable and not one.calculated and not one.is_compound and one.name not in {OPT_OUT, EXTERNAL_ID}:
                labels.setdefault(one.name, one.label)
                on.setdefault(one.name, []).append(sobject)
    named = [
        (name, f"{label} ({name}{'' if len(on[name]) > 1 else f', {on[name][0]} only'})")
        for name, label in labels.items()
    ]
    return sorted(named, key=lambda choice: choice[1].lower())


_FINDERS: dict[Needs, Callable[[Connection | None], list[Choice]]] = {
    Needs.LIST: _lists,
    Needs.SEQUENCE: _sequences,
    Needs.FIELD: partial(_fields, kinds=[kind for kind in Kind if kind is not Kind.REFERENCE]),
    Needs.TEXT_FIELD: partial(_fields, kinds=[Kind.TEXT, Kind.LONG_TEXT]),
    Needs.DATE_FIELD: partial(_fields, kinds=[Kind.DATE]),
    Needs.DATE_START: _starts,
    Needs.MEMBER: _members,
    Needs.ENDPOINT: _endpoints,
    Needs.CAMPAIGN: _campaigns,
    Needs.MEMBER_STATUS: partial(_picklist, sobject="CampaignMember", name="Status"),
    Needs.USER: partial(_references, kinds=[(ReferenceKind.USER, "")]),
    Needs.CASE_OWNER: partial(_references, kinds=[(ReferenceKind.QUEUE, " (queue)"), (ReferenceKind.USER, "")]),
    Needs.CASE_PRIORITY: partial(_references, kinds=[(ReferenceKind.CASE_PRIORITY, "")]),
    Needs.TASK_PRIORITY: partial(_picklist, sobject="Task", name="Priority"),
    Needs.TASK_STATUS: partial(_picklist, sobject="Task", name="Status"),
    Needs.OWNER: partial(
        _references,
        kinds=[
            (ReferenceKind.USER, ""),
            (ReferenceKind.QUEUE, " (queue)"),
            (ReferenceKind.ASSIGNMENT_RULE, " (assignment rule)"),
        ],
    ),
    Needs.STAGE: partial(_picklist, sobject="Opportunity", name="StageName"),
    Needs.REMOTE_FIELD: _remote_fields,
}
