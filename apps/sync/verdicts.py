"""What judging a batch comes to: counts, lines of the activity log, and judged rows, as drafts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.domain.decider import FieldDecision
from apps.domain.mapping import Step
from apps.domain.reconcile import Outcome
from apps.domain.rows import RemoteRow
from apps.sync.drafts import LinkDraft, RecordDraft
from apps.sync.models import EntryAction
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
