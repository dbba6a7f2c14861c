"""Reconcile: one remote row with the record that it is linked to → what each side shall hold, and why.

The heart of both roads. A pull carries out what concerns our side and queues the rest; a push carries out both, since
it has read the row a moment ago. Pure: rows, links and records come in as values, effects go out as values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from apps.domain.consent import ConsentDecision, decide_opt_out
from apps.domain.decider import Baseline, BlankPolicy, FieldDecision, Reason, decide_fields
from apps.domain.filters import evaluate
from apps.domain.mapping import FieldRule, Step
from apps.domain.rows import RemoteRow

MOST_FLIPS = 3
"""After so many times of writing a value that automation in the org changed back, the field is left alone."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The tenant's settings as the decider reads them."""

    blanks: BlankPolicy = field(default_factory=BlankPolicy)
    takes_opt_out: bool = True
    gives_opt_out: bool = True
    person_accounts: bool = False
    """Rows that are person accounts are people, read through their contacts, and never companies."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link as it is stored. ``flips`` counts, by field key, how often the org changed our value back."""

    remote_id: str
    sobject: str
    is_leading: bool = True
    is_live: bool = True
    stamp: datetime | None = None
    created_at: datetime | None = None
    base: Baseline = field(default_factory=lambda: Baseline({}, {}))
    opted_out: bool | None = None
    was_set_again: bool = False
    flips: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordState:
    """A record of ours: canonical texts by local field, and when its waiting fields were changed, in org time."""

    values: Mapping[str, str]
    is_active: bool = True
    opted_out: bool = False
    version: int = 1
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    opted_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Intention:
    """An open journal row: what was about to be written, and what both sides hold once it is (field key →
    (remote, local)). ``seen`` is the stamp of the row that was judged; ``made_since``, for a row that was to be made,
    the org's time before which it was not."""

    after: Mapping[str, tuple[str | None, str | None]]
    opted_out: bool | None = None
    seen: datetime | None = None
    made_since: datetime | None = None

    def made(self, row: RemoteRow) -> bool:
        """Whether the row is the one that was to be made: not one that was there before and fits its key."""
        return self.made_since is not None and row.created_at is not None and row.created_at >= self.made_since


class Skip(StrEnum):
    """Why a row was left as it is."""

    SUPERSEDED = "superseded"
    FILTERED = "filtered"
    NOT_LINKED = "not_linked"
    CREATING_IS_OFF = "creating_is_off"
    PERSON_ACCOUNT = "person_account"
    APART = "apart"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row comes to.

    ``local`` and ``remote`` are the values to set, by local and by remote field. ``base`` is to be stored now,
    ``base_after`` when the write to Salesforce has succeeded; both by field key. None for ``base``: leave it.
    """

    skip: Skip | None = None
    decisions: Mapping[str, FieldDecision] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)
    remote: Mapping[str, str] = field(default_factory=dict)
    base: Mapping[str, tuple[str | None, str | None]] | None = None
    base_after: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    consent: ConsentDecision | None = None
    flips: Mapping[str, int] = field(default_factory=dict)
    """How often each field was changed back, as known now; ``flipping`` are those that a write would add one to."""
    flipping: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    is_revived: bool = False

    @property
    def writes(self) -> bool:
        """Something is to be written to Salesforce."""
        return bool(self.remote) or (self.consent is not None and self.consent.remote is not None)

    @property
    def pushed_fields(self) -> tuple[str, ...]:
        """Keys of the fields to be written there."""
        return tuple(key for key, decision in self.decisions.items() if decision.remote is not None)


def step_for_row(steps: Iterable[Step], values: Mapping[str, str | None]) -> Step | None:
    """The step of a linked pair: the first by position whose inbound filter admits the remote row."""
    return next((step for step in steps if step.inbound_filter is None or evaluate(step.inbound_filter, values)), None)


def settled_by(row: RemoteRow, base: Baseline, intention: Intention, rules: Sequence[FieldRule]) -> Baseline:
    """The baseline after looking whether an interrupted write arrived: a field that holds what was meant is settled,
    and all of a row that was made with it, whatever has become of a field since.

    Without it a local value that went back meanwhile would look unmoved, and our own write like news from there.
    """
    remote, local = dict(base.remote), dict(base.local)
    was_made = intention.made(row)
    for rule in rules:
        meant = intention.after.get(rule.key)
        held = row.values.get(rule.remote_field)
        if meant is not None and meant[0] is not None and (was_made or held == meant[0]):
            remote[rule.key], local[rule.key] = meant
    return Baseline(remote, local)


def is_told(row: RemoteRow, intention: Intention) -> bool:
    """Whether the row tells what became of an interrupted write: not where a field of it cannot be seen now."""
    return all(row.values.get(key.split(">")[0]) is not None for key in intention.after)


def reconcile(
    row: RemoteRow,
    link: LinkState,
    record: RecordState,
    step: Step | None,
    policy: Policy,
    *,
    intentions: Sequence[Intention] = (),
) -> Outcome:
    """Judge a present row against its linked record. ``step`` is the pair's step, None where no filter admits it.

    A row older than what was applied last changes nothing. Consent is judged on every link, values on the leading
    one only. A link that was closed by a deletion is alive again.
    """
    if link.stamp is not None and row.stamp is not None and row.stamp < link.stamp:
        return Outcome(skip=Skip.SUPERSEDED)
    consent = _consent(row, link, record, policy, intentions)
    is_revived = not link.is_live and not row.is_converted
    if step is None:
        return Outcome(skip=Skip.FILTERED, consent=consent, is_revived=is_revived)
    if not link.is_leading:
        return Outcome(consent=consent, is_revived=is_revived)
    base = link.base
    for intention in intentions:
        base = settled_by(row, base, intention, step.rules)
    decisions = decide_fields(
        step,
        base=base,
        remote=row.values,
        local=record.values,
        blanks=policy.blanks,
        remote_at=row.modified_at,
        local_at=record.changed_at,
    )
    kept, flips, flipping = _broken(step, decisions, base, record, link.flips)
    blocked = tuple(key for key, decision in kept.items() if decision.reason is Reason.AUTOMATION)
    outcome = outcome_of(step, kept)
    return replace(outcome, consent=consent, is_revived=is_revived, flips=flips, flipping=flipping, blocked=blocked)


def outcome_of(step: Step, decisions: Mapping[str, FieldDecision]) -> Outcome:
    """The effects of decided fields."""
    rules = {rule.key: rule for rule in step.rules}
    return Outcome(
        decisions=decisions,
        local={rules[key].local_field: d.local for key, d in decisions.items() if d.local is not None},
        remote={rules[key].remote_field: d.remote for key, d in decisions.items() if d.remote is not None},
        base={key: d.base for key, d in decisions.items()},
        base_after={key: d.base_after_write for key, d in decisions.items() if d.base_after_write is not None},
    )


def first_contact(row: RemoteRow, record: RecordState, step: Step, policy: Policy) -> Outcome:
    """Judge a row and a record that have just been linked: nothing is known of the past."""
    link = LinkState(row.remote_id, step.sobject, created_at=row.created_at)
    return reconcile(row, link, record, step, policy)


def imported(row: RemoteRow, step: Step) -> Outcome:
    """The values and baseline of a record that is made from a row: every way in that is on, blank or not."""
    local: dict[str, str] = {}
    base: dict[str, tuple[str | None, str | None]] = {}
    for rule in step.rules:
        text = row.values.get(rule.remote_field)
        if not step.brings(rule) or text is None:
            base[rule.key] = (None, None)
            continue
        local[rule.local_field] = rule.inward(text)
        base[rule.key] = (text, rule.inward(text))
    return Outcome(local=local, base=base)


def _consent(
    row: RemoteRow, link: LinkState, record: RecordState, policy: Policy, intentions: Sequence[Intention]
) -> ConsentDecision:
    """Whether an opt-out there is ours or a user's cannot be told apart after an interrupted write: so one that may be
    theirs is not undone. An opt-in that may have arrived makes an opt-out there news."""
    base = link.opted_out
    for intention in intentions:
        has_moved = row.stamp is not None and intention.seen is not None and row.stamp > intention.seen
        if intention.opted_out is False and has_moved:
            base = False
    return decide_opt_out(
        local=record.opted_out,
        remote=row.opted_out,
        base=base,
        opted_in_here=record.opted_in_at is not None and not record.opted_out,
        was_set_again=link.was_set_again,
        takes_remote=policy.takes_opt_out,
        gives_remote=policy.gives_opt_out and not row.is_converted,
    )


def _broken(
    step: Step,
    decisions: Mapping[str, FieldDecision],
    base: Baseline,
    record: RecordState,
    flips: Mapping[str, int],
) -> tuple[dict[str, FieldDecision], dict[str, int], tuple[str, ...]]:
    """The oscillation breaker: a value of ours that the org changes back again and again is no longer sent.

    A flip is a write back although nobody here has changed the value since it was last agreed; it is counted when it
    is written. Seeing both sides agree, or a new value here, ends the count.
    """
    kept: dict[str, FieldDecision] = {}
    known: dict[str, int] = {}
    flipping = []
    for rule in step.rules:
        decision = decisions[rule.key]
        known_remote, known_local = base.of(rule.key)
        is_flip = (
            decision.remote is not None
            and known_remote is not None
            and record.values.get(rule.local_field) == known_local
        )
        if is_flip:
            count = flips.get(rule.key, 0)
            if count:
                known[rule.key] = count
            if count >= MOST_FLIPS:
                decision = FieldDecision(Reason.AUTOMATION, decision.base)
            else:
                flipping.append(rule.key)
        kept[rule.key] = decision
    return kept, known, tuple(flipping)
