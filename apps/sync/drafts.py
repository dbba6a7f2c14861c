"""What a batch of rows is judged with and changes: links and records in memory, loaded and stored together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.audience.models import Record
from apps.domain.baseline import pack, unpack
from apps.domain.decider import Baseline
from apps.domain.leading import LinkFacts, leading_link
from apps.domain.mapping import Step
from apps.domain.reconcile import Intention, LinkState, Policy, RecordState
from apps.field_mappings.models import BaselineLayout
from apps.field_mappings.versions import layout_for
from apps.sync.models import RecordLink

LEADING_ROW = "leading_row"
"""What waits in the outbox when another row leads: it is read and judged both ways."""


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for a whole batch. ``clock_offset`` is org time minus ours; ``steps`` are those of ``sobject``, in
    order. ``is_bulk`` is true in a full sync: webhooks hear of its records only where they want to."""

    connection_id: int
    run_id: int
    sobject: str
    local_type: str
    steps: tuple[Step, ...]
    policy: Policy
    now: datetime
    external_prefix: str
    clock_offset: timedelta = timedelta()
    is_bulk: bool = False
    is_backfill: bool = False
    """Rows of this sObject come in for the first time."""


class Layouts:
    """Layouts of baselines by id, and the one of each step."""

    def __init__(self, ids: Iterable[int | None]) -> None:
        wanted = {number for number in ids if number}
        self._keys: dict[int, list[str]] = {
            layout.pk: layout.keys for layout in BaselineLayout.objects.filter(id__in=wanted)
        }
        self._of_step: dict[int, BaselineLayout] = {}

    def keys(self, layout_id: int | None) -> list[str]:
        """The field keys in the order in which a baseline was packed."""
        return self._keys.get(layout_id or 0, [])

    def of(self, step: Step) -> BaselineLayout:
        """Today's layout of a step."""
        found = self._of_step.get(id(step))
        if found is None:
            found = self._of_step[id(step)] = layout_for(step.rules)
        return found


@dataclass
class LinkDraft:
    """A link as it shall be stored."""

    row: RecordLink
    record: "RecordDraft"
    is_new: bool = False
    is_changed: bool = False

    def state(self, step: Step | None, layouts: Layouts) -> LinkState:
        """The link as the decider reads it, its baseline unpacked for today's rules."""
        row, notes = self.row, self.row.notes or {}
        base = Baseline({}, {})
        if step is not None:
            base = unpack(step.rules, layouts.keys(row.layout_id), row.base_remote, row.base_local)
        return LinkState(
            remote_id=row.remote_id,
            sobject=row.sobject,
            is_leading=row.is_leading,
            is_live=row.is_live,
            stamp=row.remote_stamp,
            created_at=row.remote_created_at,
            base=base,
            opted_out=row.opted_out,
            was_set_again=bool(notes.get("set_again")),
            flips=notes.get("flips") or {},
        )

    @property
    def facts(self) -> LinkFacts:
        """What the election of the leading link looks at."""
        return LinkFacts(self.row.remote_id, self.row.sobject, self.row.remote_created_at, self.row.is_live)

    def put(self, **fields: Any) -> None:
        """Change columns of the link."""
        for name, value in fields.items():
            if getattr(self.row, name) != value:
                setattr(self.row, name, value)
                self.is_changed = True

    def keep_base(self, step: Step, layouts: Layouts, base: Mapping[str, tuple[str | None, str | None]]) -> None:
        """Store a baseline under the step's layout."""
        remote, local = pack(step.rules, base)
        self.put(base_remote=remote, base_local=local, layout_id=layouts.of(step).pk)

    def note(self, **notes: Any) -> None:
        """Change notes of the link; a false one is dropped."""
        kept = {**(self.row.notes or {}), **notes}
        self.put(notes={name: value for name, value in kept.items() if value} or None)


@dataclass
class RecordDraft:
    """A record as it shall be stored. ``shown`` are the lines of its entry: {field: {before, after, rule, lost}}."""

    row: Record
    values: dict[str, str]
    is_new: bool = False
    links: list[LinkDraft] = field(default_factory=list)
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    opted_in_at: datetime | None = None
    intentions: Mapping[str, list[Intention]] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    to_queue: set[str] = field(default_factory=set)
    waiting: frozenset[str] = frozenset()
    is_held: bool = False
    is_to_be_tried_again: bool = False

    @property
    def state(self) -> RecordState:
        """The record as the decider reads it."""
        return RecordState(
            values=self.values,
            is_active=self.row.is_active,
            opted_out=bool(getattr(self.row, "email_opt_out", False)),
            version=self.row.version,
            changed_at=self.changed_at,
            opted_in_at=self.opted_in_at,
        )

    @property
    def is_changed(self) -> bool:
        """Something of the record itself is to be stored."""
        return bool(self.changes or self.flags)

    def take(self, values: Mapping[str, str]) -> None:
        """Take values by local field."""
        for name, text in values.items():
            if self.values.get(name) != text:
                self.values[name] = text
                self.changes[name] = text

    def flag(self, **flags: Any) -> None:
        """Set plain columns: is_active, email_opt_out."""
        for name, value in flags.items():
            before = getattr(self.row, name)
            if before != value:
                setattr(self.row, name, value)
                self.flags[name] = value
                rule = "consent" if name == "email_opt_out" else "restored" if value else "deleted"
                self.shown[name] = {"before": str(before).lower(), "after": str(value).lower(), "rule": rule}

    @property
    def has_live_link(self) -> bool:
        """Some row in Salesforce stands behind the record."""
        return any(link.row.is_live for link in self.links)

    def elect(self, judged: str = "") -> None:
        """Elect the leading link anew; the record names it. One that has not led before and is not the row that is
        being ``judged`` is to be read: until now its values were not exchanged."""
        before = {link.row.remote_id for link in self.links if link.row.is_leading}
        chosen = leading_link(link.facts for link in self.links)
        found = None
        for link in self.links:
            is_chosen = chosen is not None and link.row.remote_id == chosen.remote_id
            link.put(is_leading=is_chosen)
            found = link if is_chosen else found
        named = (found.row.sobject, found.row.remote_id) if found else ("", "")
        if (self.row.leading_sobject, self.row.leading_remote_id) != named:
            self.row.leading_sobject, self.row.leading_remote_id = named
            self.flags["leading_sobject"], self.flags["leading_remote_id"] = named
        if chosen is not None and chosen.remote_id not in before | {judged}:
            self.to_queue.add(LEADING_ROW)
