"""What judging a batch comes to: counts, lines of the activity log, and judged rows, as drafts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.domain.automatic import AUTOMATIC
from apps.domain.decider import FieldDecision
from apps.domain.failures import Category
from apps.domain.mapping import Step
from apps.domain.reconcile import Outcome
from apps.domain.rows import RemoteRow
from apps.sync.desk import Desk
from apps.sync.drafts import Context, LinkDraft, RecordDraft
from apps.sync.local import has_automatic
from apps.sync.models import Conversion, EntryAction, RecordLink
from apps.sync_errors.services import ErrorFact


@dataclass
class Tally:
    """What became of the rows; each row is counted once."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    errors: list[ErrorFact] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)

    def skip(self, reason: str) -> None:
        """Count a skipped row under the rule that skipped it."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def add(self, other: "Tally") -> None:
        """Take in the tally of another part of the batch."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.failed += other.failed
        for reason, count in other.skipped.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count
        self.errors += other.errors
        self.resolved += other.resolved


@dataclass
class EntryDraft:
    """A line of the activity log about one row."""

    remote_id: str
    record: RecordDraft | None
    action: EntryAction
    reason: str = ""
    changes: Mapping[str, object] | None = None


@dataclass
class Judged:
    """A present, linked row as it was judged, for the push that asked for it."""

    row: RemoteRow
    link: LinkDraft
    step: Step | None
    outcome: Outcome


@dataclass
class Merge:
    """Two records that Salesforce made one."""

    survivor: RecordDraft
    other: RecordDraft


class Verdicts:
    """What has been found about the rows of one batch, which see each other's effects."""

    def __init__(self, context: Context, desk: Desk) -> None:
        self.context = context
        self.desk = desk
        self.tally = Tally()
        self.entries: list[EntryDraft] = []
        self.judged: dict[str, Judged] = {}
        self.merges: list[Merge] = []
        self.conversions: list[Conversion] = []

    def new_link(self, row: RemoteRow, record: RecordDraft, *, is_live: bool = True) -> LinkDraft:
        """Draft the link of a row that is this record's from now on."""
        made = RecordLink(
            connection_id=self.context.connection_id,
            remote_id=row.remote_id,
            sobject=self.context.sobject,
            is_leading=False,
            is_live=is_live,
            remote_stamp=row.stamp,
            remote_created_at=row.created_at,
            pulled_at=self.context.now,
            created_run_id=self.context.run_id,
            created_at=self.context.now,
        )
        link = LinkDraft(made, record, is_new=True)
        self.desk.add_link(link)
        if is_live:
            tell_by_itself(record)
        return link

    def entry(
        self,
        row: RemoteRow,
        record: RecordDraft | None,
        action: EntryAction,
        reason: str = "",
        changes: Mapping[str, object] | None = None,
    ) -> None:
        """Draft a line of the activity log."""
        self.entries.append(EntryDraft(row.remote_id, record, action, reason, changes))

    def fail(self, row: RemoteRow, category: Category, message: str, details: dict[str, object] | None = None) -> None:
        """Count a row of which nothing could be made, and say why."""
        self.tally.failed += 1
        self.tally.errors.append(self.fact(row, None, category, message, details=details))
        self.entry(row, None, EntryAction.FAILED, category)

    def error(self, row: RemoteRow, link: LinkDraft, category: Category, message: str, name: str = "") -> None:
        """Say what is wrong with a row that is linked."""
        self.tally.errors.append(self.fact(row, link, category, message, name))

    def name_unreadable(self, row: RemoteRow, link: LinkDraft) -> None:
        """Say which values cannot be read; where all can, what was wrong with the row is settled."""
        for name in row.unreadable:
            self.error(row, link, Category.UNREADABLE_VALUE, f"The value of {name} cannot be read.", name)
        if not row.unreadable:
            self.tally.resolved.append(row.remote_id)

    def fact(
        self,
        row: RemoteRow,
        link: LinkDraft | None,
        category: Category,
        message: str,
        name: str = "",
        details: dict[str, object] | None = None,
    ) -> ErrorFact:
        """What stopped a row, named as a person would name it."""
        label = " ".join(filter(None, (row.values.get(f) for f in ("FirstName", "LastName", "Name", "Email"))))
        return ErrorFact(
            category=category,
            message=message,
            sobject=self.context.sobject,
            remote_id=row.remote_id,
            local_type=self.context.local_type,
            local_id=link.record.row.pk if link else None,
            record_label=label,
            field=name,
            details=details or {},
        )


def tell_by_itself(record: RecordDraft) -> None:
    """A row that is new to a record is told what every row of it is told: score, visit, touches."""
    if has_automatic(record.row):
        record.to_queue |= AUTOMATIC


def lines_of(step: Step, record: RecordDraft, decisions: Mapping[str, FieldDecision]) -> dict[str, object]:
    """The entry's lines of the fields that are changed here, before and after, with the rule that decided."""
    lines: dict[str, object] = {}
    for rule in step.rules:
        decision = decisions.get(rule.key)
        if decision is None or decision.local is None:
            continue
        line = {"before": record.values.get(rule.local_field, ""), "after": decision.local, "rule": decision.reason}
        if decision.lost is not None:
            line["lost"] = decision.lost
        lines[rule.local_field] = line
    return lines
