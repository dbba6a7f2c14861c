"""Level 1: both systems in memory. Every decision is made by the product's own rules in ``apps.domain``; what is here
is only the shell around them, as ``apps.sync`` is around them in earnest."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from apps.domain.baseline import pack, unpack
from apps.domain.decider import Baseline, BlankPolicy
from apps.domain.leading import LinkFacts, leading_link
from apps.domain.mapping import Direction, FieldRule, Step, Way, Winner
from apps.domain.moves import Move, fate_of, merged_values, move_of, successor_of
from apps.domain.pushing import base_after_write, creation, is_settled, may_write, stamp_after_write
from apps.domain.reconcile import Intention, LinkState, Outcome, Policy, RecordState, Skip, imported, is_told, reconcile
from apps.domain.rows import RemoteRow
from apps.domain.values import FieldType
from apps.domain.windows import LOOK_BACK, Window, covered_after, next_window
from tests.histories.history import FIELDS, Setup
from tests.histories.world import Counters, Crashed, LocalView, RemoteView

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
PAGE = 2
EMAIL = "email"


@dataclass
class Row:
    """A row of theirs."""

    id: str
    sobject: str
    values: dict[str, str]
    stamp: datetime
    modified_at: datetime
    created_at: datetime
    opted_out: bool = False
    is_deleted: bool = False
    merged_into: str = ""
    contact: str = ""
    external_id: str = ""


@dataclass
class Record:
    """A record of ours."""

    id: int
    values: dict[str, str]
    is_active: bool = True
    opted_out: bool = False
    version: int = 1
    opted_in_at: datetime | None = None


@dataclass
class Link:
    """A link, its baseline packed as it is stored."""

    remote_id: str
    sobject: str
    record: int
    is_leading: bool = False
    is_live: bool = True
    stamp: datetime | None = None
    created_at: datetime | None = None
    base_remote: list[str | None] | None = None
    base_local: dict[str, str | None] | None = None
    opted_out: bool | None = None
    was_set_again: bool = False
    flips: dict[str, int] = field(default_factory=dict)


@dataclass
class Change:
    """A waiting change."""

    fields: dict[str, datetime]
    generation: int = 1


@dataclass
class Intent:
    """A journal row; ``remote_id`` is empty for a row that is to be made."""

    record: int
    remote_id: str
    values: dict[str, str]
    after: dict[str, tuple[str | None, str | None]]
    opted_out: bool | None
    set_again: bool
    seen: datetime | None
    generation: int
    read_at: datetime
    flips: tuple[str, ...] = ()
    is_open: bool = True


class MemoryWorld:
    """Two systems and the engine between them."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.counters = Counters()
        self.now = EPOCH
        self.remote: dict[str, Row] = {}
        self.local: dict[int, Record] = {}
        self.all_links: dict[str, Link] = {}
        self.outbox: dict[int, Change] = {}
        self.intents: list[Intent] = []
        self.watermark: datetime | None = None
        self.late: list[tuple[datetime, str, str, str, datetime]] = []
        self.hidden: set[str] = set()
        self.silent: set[str] = set()
        self.triggers: set[str] = set()
        self.locked: set[str] = set()
        self.loses_reply = False
        self.failed: list[tuple[str, str]] = []
        self._ids = 0
        self.rules = (
            FieldRule(EMAIL, FieldType.EMAIL, EMAIL, Way.OVERWRITE, Way.OVERWRITE, is_key=True),
            *(
                FieldRule(name, FieldType.STRING, name, Way(way_in), Way(way_out), Winner(winner))
                for name, way_in, way_out, winner in setup.rules
            ),
        )
        self.policy = Policy(BlankPolicy(setup.blank_in, setup.blank_out))

    # -- what the oracle looks at -----------------------------------------------------------------------------

    def records(self) -> dict[str, LocalView]:
        return {str(r.id): LocalView(str(r.id), dict(r.values), r.is_active, r.opted_out) for r in self.local.values()}

    def rows(self) -> dict[str, RemoteView]:
        return {
            r.id: RemoteView(r.id, dict(r.values), r.opted_out, r.is_deleted, bool(r.contact), r.merged_into)
            for r in self.remote.values()
        }

    def links(self) -> list[tuple[str, str, bool, bool]]:
        return [(k.remote_id, str(k.record), k.is_leading, k.is_live) for k in self.all_links.values()]

    def errors(self) -> list[tuple[str, str]]:
        return list(self.failed)

    # -- users and the org ------------------------------------------------------------------------------------

    def _tick(self, seconds: int = 1) -> None:
        self.now += timedelta(seconds=seconds)
        due = [late for late in self.late if late[0] <= self.now]
        for late in due:
            self.late.remove(late)
            _, row_id, name, text, stamp = late
            row = self.remote[row_id]
            row.values[name] = self._triggered(name, text)
            row.stamp, row.modified_at = max(row.stamp, stamp), max(row.modified_at, stamp)

    def _triggered(self, name: str, text: str) -> str:
        return text.upper() if name in self.triggers else text

    def _is_busy(self, row_id: str) -> bool:
        return any(late[1] == row_id for late in self.late)

    def wait(self, seconds: int) -> None:
        self._tick(seconds)

    def add_local(self, email: str, values: dict[str, str]) -> str:
        self._tick()
        if any(r.values.get(EMAIL) == email for r in self.local.values()):
            return next(str(r.id) for r in self.local.values() if r.values.get(EMAIL) == email)
        self._ids += 1
        made = Record(self._ids, {EMAIL: email, **dict.fromkeys(FIELDS, ""), **values})
        self.local[made.id] = made
        self._queue(made.id, [EMAIL, *FIELDS])
        return str(made.id)

    def edit_local(self, key: str, name: str, text: str) -> None:
        self._tick()
        record = self.local[int(key)]
        if record.values[name] != text:
            record.values[name] = text
            record.version += 1
            self._queue(record.id, [name])

    def consent_local(self, key: str, opted_out: bool) -> None:
        self._tick()
        record = self.local[int(key)]
        record.opted_out = opted_out
        record.opted_in_at = None if opted_out else self.now
        record.version += 1
        self._queue(record.id, ["opt_out"])

    def _queue(self, record_id: int, names: list[str]) -> None:
        change = self.outbox.get(record_id)
        if change is None:
            self.outbox[record_id] = Change(dict.fromkeys(names, self.now))
        else:
            change.fields |= dict.fromkeys(names, self.now)
            change.generation += 1

    def add_remote(self, email: str, values: dict[str, str]) -> str:
        self._tick()
        return self._insert("Lead", {EMAIL: email, **dict.fromkeys(FIELDS, ""), **values})

    def _insert(self, sobject: str, values: dict[str, str]) -> str:
        self._ids += 1
        row_id = f"{'00Q' if sobject == 'Lead' else '003'}5e{self._ids:010d}AAA"
        kept = {name: self._triggered(name, text) for name, text in values.items()}
        self.remote[row_id] = Row(row_id, sobject, kept, self.now, self.now, self.now)
        return row_id

    def _touch(self, row: Row) -> None:
        row.stamp = row.modified_at = self.now

    def edit_remote(self, key: str, name: str, text: str) -> None:
        self._tick()
        row = self.remote[key]
        if self._is_busy(key) or row.is_deleted or row.contact:
            return
        row.values[name] = self._triggered(name, text)
        self._touch(row)

    def late_edit_remote(self, key: str, name: str, text: str, seconds: int) -> bool:
        self._tick()
        row = self.remote[key]
        if self._is_busy(key) or row.is_deleted or row.contact:
            return False
        self.late.append((self.now + timedelta(seconds=seconds), key, name, text, self.now))
        return True

    def consent_remote(self, key: str, opted_out: bool) -> None:
        self._tick()
        row = self.remote[key]
        if not self._is_busy(key) and not row.is_deleted:
            row.opted_out = opted_out
            self._touch(row)

    def delete_remote(self, key: str) -> None:
        self._tick()
        if not self._is_busy(key):
            self.remote[key].is_deleted = True
            self._touch(self.remote[key])

    def undelete_remote(self, key: str) -> None:
        self._tick()
        row = self.remote[key]
        if row.is_deleted and not row.merged_into:
            row.is_deleted = False
            self._touch(row)

    def merge_remote(self, winner: str, loser: str) -> None:
        self._tick()
        kept, gone = self.remote[winner], self.remote[loser]
        if self._is_busy(winner) or self._is_busy(loser) or kept.sobject != gone.sobject:
            return
        gone.is_deleted, gone.merged_into = True, winner
        kept.opted_out = kept.opted_out or gone.opted_out
        self._touch(gone)
        self._touch(kept)

    def convert_remote(self, key: str) -> str:
        self._tick()
        row = self.remote[key]
        if self._is_busy(key) or row.sobject != "Lead" or row.contact or row.is_deleted:
            return ""
        made = self._insert("Contact", dict(row.values))
        self.remote[made].opted_out = row.opted_out
        row.contact = made
        self._touch(row)
        return made

    def hide(self, name: str, *, silently: bool) -> bool:
        """Out of sight, in the describes, too; or ``silently``: only its values are missing from the answers."""
        (self.silent if silently else self.hidden).add(name)
        return silently

    def show(self) -> None:
        """The fields are seen again, and an admin runs a full sync, as the page offers then."""
        if self.hidden or self.silent:
            self.watermark = None
        self.hidden.clear()
        self.silent.clear()

    def trigger(self, name: str) -> None:
        self.triggers.add(name)

    def clear_weather(self) -> None:
        self.show()
        self.triggers.clear()
        self.locked.clear()
        self.loses_reply = False
        self._tick(700)

    def lock(self, key: str) -> None:
        self.locked.add(key)

    def lose_reply(self) -> None:
        self.loses_reply = True

    # -- the engine: what it sees -----------------------------------------------------------------------------

    def _seen(self, row: Row) -> RemoteRow:
        return RemoteRow(
            row.id,
            {name: (None if name in self.hidden | self.silent else text) for name, text in row.values.items()},
            stamp=row.stamp,
            modified_at=row.modified_at,
            created_at=row.created_at,
            opted_out=row.opted_out,
            is_deleted=row.is_deleted,
            merged_into=row.merged_into,
            is_converted=bool(row.contact),
            converted_contact=row.contact,
            external_id=row.external_id,
        )

    def _steps(self, sobject: str) -> Step:
        visible = tuple(rule for rule in self.rules if rule.remote_field not in self.hidden)
        return Step(
            sobject,
            "person",
            Direction.TWO_WAY,
            visible,
            create_remote=self.setup.creates and sobject == "Lead",
            update_remote=True,
        )

    def _layout(self, link: Link, step: Step) -> Baseline:
        keys = [rule.key for rule in self.rules]
        return unpack(step.rules, keys, link.base_remote, link.base_local)

    def _keep(self, link: Link, base: dict[str, tuple[str | None, str | None]]) -> None:
        """Fields that are hidden now keep what was known of them."""
        keys = [rule.key for rule in self.rules]
        known = unpack(self.rules, keys, link.base_remote, link.base_local)
        pairs = {rule.key: base.get(rule.key, known.of(rule.key)) for rule in self.rules}
        link.base_remote, link.base_local = pack(self.rules, pairs)

    def _state(self, link: Link, step: Step) -> LinkState:
        return LinkState(
            link.remote_id,
            link.sobject,
            link.is_leading,
            link.is_live,
            link.stamp,
            link.created_at,
            self._layout(link, step),
            link.opted_out,
            link.was_set_again,
            link.flips,
        )

    def _record_state(self, record: Record) -> RecordState:
        change = self.outbox.get(record.id)
        return RecordState(
            record.values,
            record.is_active,
            record.opted_out,
            record.version,
            dict(change.fields) if change else {},
            record.opted_in_at if change and "opt_out" in change.fields else None,
        )

    def _links_of(self, record_id: int) -> list[Link]:
        return [link for link in self.all_links.values() if link.record == record_id]

    def _elect(self, record_id: int, judged: str = "") -> None:
        """Elect the leading link; one that is not being judged is to be read."""
        links = self._links_of(record_id)
        before = {link.remote_id for link in links if link.is_leading}
        chosen = leading_link(LinkFacts(k.remote_id, k.sobject, k.created_at, k.is_live) for k in links)
        for link in links:
            link.is_leading = chosen is not None and link.remote_id == chosen.remote_id
        if chosen is not None and chosen.remote_id not in before | {judged}:
            self._queue(record_id, ["leading_row"])

    def _intentions(self, record_id: int, remote_id: str) -> list[Intention]:
        return [
            Intention(i.after, i.opted_out, i.seen, None if i.remote_id else i.read_at)
            for i in self.intents
            if i.is_open and i.record == record_id and i.remote_id == remote_id
        ]

    # -- the engine: judging ----------------------------------------------------------------------------------

    def _judge(self, row: RemoteRow, sobject: str, *, queues: bool) -> tuple[Link, Step, Outcome] | None:
        link, heir = self.all_links.get(row.remote_id), self.all_links.get(successor_of(row))
        move = move_of(
            row,
            own=link.record if link else None,
            is_live=link.is_live if link else False,
            heir=heir.record if heir else None,
        )
        if move is not Move.NONE:
            self._move(row, move, link, heir)
            return None
        if row.is_deleted:
            return None
        made_by_us: list[Intention] = []
        if link is None:
            link = self._join_or_import(row, sobject)
            if link is None:
                return None
            made_by_us = self._intentions(link.record, "")
        elif not link.is_live and not row.is_converted:
            if not any(other.is_live for other in self._links_of(link.record)):
                self.local[link.record].is_active = True
            link.is_live = True
            self._elect(link.record, row.remote_id)
        step = self._steps(link.sobject)
        record = self.local[link.record]
        intentions = [*self._intentions(record.id, row.remote_id), *made_by_us]
        outcome = reconcile(
            row, self._state(link, step), self._record_state(record), step, self.policy, intentions=intentions
        )
        if outcome.skip is Skip.SUPERSEDED:
            return None
        self._take(row, link, outcome)
        if queues and outcome.writes:
            waiting = self.outbox.get(record.id)
            names = [self._local_name(key) for key in outcome.pushed_fields if may_write(step, record.values)]
            if outcome.consent is not None and outcome.consent.remote is not None:
                names.append("opt_out")
            missing = [name for name in names if waiting is None or name not in waiting.fields]
            if missing:
                self._queue(record.id, missing)
        return link, step, outcome

    def _local_name(self, key: str) -> str:
        return key.split(">")[1]

    def _take(self, row: RemoteRow, link: Link, outcome: Outcome) -> None:
        record = self.local[link.record]
        link.stamp = row.stamp or link.stamp
        link.created_at = row.created_at or link.created_at
        link.flips = dict(outcome.flips)
        changed = {name: text for name, text in outcome.local.items() if record.values.get(name) != text}
        record.values |= changed
        consent = outcome.consent
        if consent is not None and consent.local is not None:
            changed["opt_out"] = "true"
            record.opted_out = consent.local
            if sum(other.is_live for other in self._links_of(record.id)) > 1:
                self._queue(record.id, ["opt_out"])
        if consent is not None and consent.is_blocked:
            self.failed.append((str(record.id), "opt_out_unticked"))
        elif consent is not None and consent.remote is None and row.opted_out is not None:
            link.opted_out = row.opted_out
        if changed:
            record.version += 1
            self.counters.local_changes += 1
        if outcome.base is not None:
            self._keep(link, dict(outcome.base))
        self.failed += [(str(record.id), f"changed_back {self._local_name(key)}") for key in outcome.blocked]

    def _join_or_import(self, row: RemoteRow, sobject: str) -> Link | None:
        email = row.values.get(EMAIL) or ""
        found = next(
            (r for r in self.local.values() if row.external_id == f"x-{r.id}" or (email and r.values[EMAIL] == email)),
            None,
        )
        step = self._steps(sobject)
        link = Link(row.remote_id, sobject, 0, created_at=row.created_at)
        if found is not None:
            if not any(other.is_live for other in self._links_of(found.id)):
                found.is_active = True
            link.record = found.id
        else:
            outcome = imported(row, step)
            self._ids += 1
            made = Record(self._ids, {EMAIL: "", **dict.fromkeys(FIELDS, ""), **outcome.local})
            made.opted_out = bool(row.opted_out)
            self.local[made.id] = made
            link.record = made.id
            link.opted_out = row.opted_out
            link.stamp = row.stamp
            self._keep(link, dict(outcome.base or {}))
        self.all_links[row.remote_id] = link
        self._elect(link.record, row.remote_id)
        return link

    def _move(self, row: RemoteRow, move: Move, link: Link | None, heir: Link | None) -> None:
        if move is Move.ATTACH:
            assert heir is not None
            self.all_links[row.remote_id] = Link(row.remote_id, "Lead", heir.record, is_live=False, stamp=row.stamp)
            return
        assert link is not None
        record = self.local[link.record]
        if row.opted_out and not record.opted_out:
            record.opted_out = True
            self._queue(record.id, ["opt_out"])
        link.is_live, link.stamp = False, row.stamp or link.stamp
        if move is Move.FOLLOW:
            successor = successor_of(row)
            kept = fate_of(row) == "merged"
            self.all_links[successor] = Link(
                successor,
                link.sobject if kept else "Contact",
                record.id,
                base_remote=link.base_remote if kept else None,
                base_local=link.base_local if kept else None,
                opted_out=link.opted_out if kept else None,
            )
            self._elect(record.id)
        elif move is Move.MERGE:
            assert heir is not None
            self._merge(record, self.local[heir.record])
        else:
            self._elect(record.id)
            if not any(other.is_live for other in self._links_of(record.id)):
                record.is_active = False

    def _merge(self, other: Record, survivor: Record) -> None:
        lives, lived = (any(link.is_live for link in self._links_of(one.id)) for one in (other, survivor))
        if other.is_active and lives and not lived:
            survivor.is_active = True
        for link in self._links_of(other.id):
            link.record = survivor.id
            link.base_remote = link.base_local = None
        taken = merged_values(survivor.values, other.values)
        other.values[EMAIL] = ""
        survivor.values |= taken
        survivor.opted_out = survivor.opted_out or other.opted_out
        survivor.version += 1
        self._queue(survivor.id, [*taken, "leading_row", *(["opt_out"] if survivor.opted_out else [])])
        other.is_active = False
        self.outbox.pop(other.id, None)
        self._elect(survivor.id)

    # -- the engine: pull -------------------------------------------------------------------------------------

    def poll(self, crash_at: int | None = None, between: Callable[[], None] | None = None) -> None:
        self._tick()
        mark = self.watermark or EPOCH
        since = mark - LOOK_BACK
        window, org_now = Window(since, FAR), self.now
        seen = [(row.sobject, self._seen(row)) for row in self.remote.values() if window.holds(row.stamp)]
        moves = [pair for pair in seen if fate_of(pair[1]) in {"merged", "converted"}]
        rest = sorted((pair for pair in seen if pair not in moves), key=lambda p: (p[0], p[1].stamp, p[1].remote_id))
        ordered = [*moves, *rest]
        if between is not None:
            between()
        for start in range(0, len(ordered), PAGE):
            if crash_at is not None and start // PAGE == crash_at:
                raise Crashed
            for sobject, row in ordered[start : start + PAGE]:
                self._judge(row, sobject, queues=True)
        if crash_at is not None:
            raise Crashed
        self.watermark = covered_after(mark, next_window(mark, org_now), is_in=True)

    # -- the engine: push -------------------------------------------------------------------------------------

    def push(self, crash_at: str | None = None, between: Callable[[], None] | None = None) -> None:
        self._tick()
        claims = [(record_id, change.generation) for record_id, change in self.outbox.items()]
        for record_id, generation in claims:
            self._push_one(record_id, generation, crash_at, between, is_conditional=False)

    def sync_now(self, key: str, between: Callable[[], None] | None = None) -> None:
        self._tick()
        record_id = int(key)
        for link in self._links_of(record_id):
            if link.is_live:
                self._judge(self._seen(self.remote[link.remote_id]), link.sobject, queues=True)
        for _ in range(3):
            change = self.outbox.get(record_id)
            if change is None or self._push_one(record_id, change.generation, None, between, is_conditional=True):
                return
            between = None

    def _push_one(
        self,
        record_id: int,
        generation: int,
        crash_at: str | None,
        between: Callable[[], None] | None,
        *,
        is_conditional: bool,
    ) -> bool:
        change = self.outbox.get(record_id)
        if change is None:
            return True
        wants_all = "opt_out" in change.fields
        links = [k for k in self._links_of(record_id) if k.is_live and (k.is_leading or wants_all)]
        if not links:
            self._create(record_id, generation, crash_at, between)
            return True
        written = True
        intents = []
        for link in links:
            row = self._seen(self.remote[link.remote_id])
            judged = self._judge(row, link.sobject, queues=False)
            if judged is None:
                return False  # it has moved: the next push reads what took its place
            intent = self._open(record_id, generation, row, *judged)
            if intent is not None:
                intents.append(intent)
        self._crash(crash_at, "after_intend")
        if between is not None:
            between()
        self._tick()
        for intent in intents:
            written = self._write(intent, crash_at, is_conditional=is_conditional) and written
        if written:
            self._settle_change(record_id, generation)
        return written

    def _crash(self, at: str | None, here: str) -> None:
        if at == here:
            raise Crashed

    def _open(
        self, record_id: int, generation: int, row: RemoteRow, link: Link, step: Step, outcome: Outcome
    ) -> Intent | None:
        for old in self.intents:
            is_about_it = old.record == record_id and old.remote_id in {row.remote_id, ""}
            if is_about_it and (not old.remote_id or is_told(row, Intention(old.after))):
                old.is_open = False
        if not outcome.writes or row.is_converted:
            return None
        record = self.local[record_id]
        values = dict(outcome.remote) if may_write(step, record.values) else {}
        after = {key: pair for key, pair in outcome.base_after.items() if key.split(">")[0] in values}
        consent = outcome.consent.remote if outcome.consent is not None else None
        if not values and consent is None:
            return None
        again = outcome.consent is not None and outcome.consent.rule == "set_again"
        made = Intent(
            record_id, row.remote_id, values, after, consent, again, row.stamp, generation, self.now, outcome.flipping
        )
        self.intents.append(made)
        return made

    def _write(self, intent: Intent, crash_at: str | None, *, is_conditional: bool) -> bool:
        row = self.remote[intent.remote_id]
        if is_conditional and row.stamp != intent.seen:
            intent.is_open = False
            return False
        if row.is_deleted or row.contact or self._is_busy(row.id) or row.id in self.locked:
            self.locked.discard(row.id)
            intent.is_open = False
            return False
        row.values |= {name: self._triggered(name, text) for name, text in intent.values.items()}
        if intent.opted_out is not None:
            row.opted_out = intent.opted_out
        self._touch(row)
        self.counters.remote_writes += 1
        if self.loses_reply:
            self.loses_reply = False
            raise Crashed
        self._crash(crash_at, "after_write")
        link = self.all_links[intent.remote_id]
        known = self._layout(link, replace(self._steps(link.sobject), rules=self.rules))
        base = base_after_write(known, intent.after, seen=intent.seen, known=link.stamp)
        self._keep(link, {rule.key: base.of(rule.key) for rule in self.rules})
        link.stamp = stamp_after_write(seen=intent.seen, read_at=intent.read_at, known=link.stamp)
        if intent.opted_out is not None:
            link.opted_out = intent.opted_out
        link.was_set_again = link.was_set_again or intent.set_again
        link.flips = {**link.flips, **{key: link.flips.get(key, 0) + 1 for key in intent.flips}}
        intent.is_open = False
        return True

    def _settle_change(self, record_id: int, generation: int) -> None:
        change = self.outbox.get(record_id)
        if change is not None and is_settled(claimed=generation, present=change.generation):
            del self.outbox[record_id]

    def _found(self, record: Record, row: Row) -> None:
        if not row.is_deleted or row.id in self.all_links:
            self._judge(self._seen(row), row.sobject, queues=True)
            return
        # What we had begun to make was made, and has been deleted since.
        self.all_links[row.id] = Link(row.id, row.sobject, record.id, is_live=False, stamp=row.stamp)
        if not any(link.is_live for link in self._links_of(record.id)):
            record.is_active = False

    def _create(
        self, record_id: int, generation: int, crash_at: str | None, between: Callable[[], None] | None
    ) -> None:
        record = self.local[record_id]
        if self._links_of(record_id) or not record.is_active or not self.setup.creates:
            self._settle_change(record_id, generation)
            return
        email, own = record.values[EMAIL], f"x-{record_id}"
        was_begun = any(i.is_open and i.record == record_id and not i.remote_id for i in self.intents)
        hits = [
            row
            for row in self.remote.values()
            if (was_begun or not row.is_deleted)
            and ((self.setup.has_package and row.external_id == own) or (email and row.values[EMAIL] == email))
        ]
        if hits:
            for row in hits:
                self._found(record, row)
            return
        step = self._steps("Lead")
        made = creation(self._record_state(record), step, required=(), defaults={}, writable=[EMAIL, *FIELDS])
        for begun in self.intents:
            if begun.record == record_id:
                begun.is_open = False
        intent = Intent(
            record_id, "", dict(made.values), dict(made.base_after), None, False, None, generation, self.now
        )
        self.intents.append(intent)
        self._crash(crash_at, "after_intend")
        if between is not None:
            between()
        self._tick()
        out = intent.values.pop("HasOptedOutOfEmail", "") == "true"
        row_id = self._insert("Lead", {EMAIL: "", **dict.fromkeys(FIELDS, ""), **intent.values})
        made_row = self.remote[row_id]
        made_row.opted_out = record.opted_out if out else False
        made_row.external_id = own if self.setup.has_package else ""
        self.counters.remote_writes += 1
        self.counters.created[row_id] = str(record_id)
        for row in self.remote.values():
            if row.id != row_id and not row.is_deleted and row.values[EMAIL] == email:
                self.counters.beside[row_id] = row.id
        if self.loses_reply:
            self.loses_reply = False
            raise Crashed
        self._crash(crash_at, "after_write")
        link = Link(row_id, "Lead", record_id, opted_out=made_row.opted_out)
        self._keep(link, dict(intent.after))
        self.all_links[row_id] = link
        self._elect(record_id, row_id)
        intent.is_open = False
        self._settle_change(record_id, generation)
