"""The engine between two sides in memory: polls, pushes, and creations."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from apps.domain.mapping import Step
from apps.domain.moves import fate_of
from apps.domain.pushing import base_after_write, creation, is_settled, may_write, stamp_after_write
from apps.domain.reconcile import Intention, Outcome, is_told
from apps.domain.rows import RemoteRow
from apps.domain.windows import LOOK_BACK, Window, covered_after, next_window
from tests.histories.history import FIELDS
from tests.histories.memory.judging import Judging
from tests.histories.memory.sides import EPOCH
from tests.histories.memory.state import EMAIL, Intent, Link, Record, Row
from tests.histories.world import Crashed

FAR = datetime(2100, 1, 1, tzinfo=UTC)
PAGE = 2


class MemoryWorld(Judging):
    """Two systems and the engine between them."""

    # -- pull -------------------------------------------------------------------------------------------------

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

    # -- push -------------------------------------------------------------------------------------------------

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
        hits = self._rows_that_fit(record)
        if hits:
            for row in hits:
                self._found(record, row)
            return
        intent = self._intend_creation(record, generation)
        self._crash(crash_at, "after_intend")
        if between is not None:
            between()
        self._tick()
        made = self._make(record, intent)
        if self.loses_reply:
            self.loses_reply = False
            raise Crashed
        self._crash(crash_at, "after_write")
        self._link_made(made, intent)
        self._settle_change(record_id, generation)

    def _rows_that_fit(self, record: Record) -> list[Row]:
        """Rows with the record's external id or address; deleted ones, too, where we may have made one before."""
        email, own = record.values[EMAIL], self._external_id(record)
        was_begun = any(i.is_open and i.record == record.id and not i.remote_id for i in self.intents)
        return [
            row
            for row in self.remote.values()
            if (was_begun or not row.is_deleted)
            and ((own and row.external_id == own) or (email and row.values[EMAIL] == email))
        ]

    def _external_id(self, record: Record) -> str:
        return f"x-{record.id}" if self.setup.has_package else ""

    def _intend_creation(self, record: Record, generation: int) -> Intent:
        """The intent that takes the place of all that were begun for the record."""
        step = self._steps("Lead")
        wanted = creation(self._record_state(record), step, required=(), defaults={}, writable=[EMAIL, *FIELDS])
        for begun in self.intents:
            if begun.record == record.id:
                begun.is_open = False
        intent = Intent(
            record.id, "", dict(wanted.values), dict(wanted.base_after), None, False, None, generation, self.now
        )
        self.intents.append(intent)
        return intent

    def _make(self, record: Record, intent: Intent) -> Row:
        """The row there, counted; one beside another row of its address is noted."""
        out = intent.values.pop("HasOptedOutOfEmail", "") == "true"
        made = self.remote[self._insert("Lead", {EMAIL: "", **dict.fromkeys(FIELDS, ""), **intent.values})]
        made.opted_out = record.opted_out if out else False
        made.external_id = self._external_id(record)
        self.counters.remote_writes += 1
        self.counters.created[made.id] = str(record.id)
        for row in self.remote.values():
            if row.id != made.id and not row.is_deleted and row.values[EMAIL] == record.values[EMAIL]:
                self.counters.beside[made.id] = row.id
        return made

    def _link_made(self, made: Row, intent: Intent) -> None:
        link = Link(made.id, "Lead", intent.record, opted_out=made.opted_out)
        self._keep(link, dict(intent.after))
        self.all_links[made.id] = link
        self._elect(intent.record, made.id)
        intent.is_open = False
