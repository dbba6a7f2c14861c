"""Play a history in a world, let it come to rest, and hold it against the invariants."""

from collections.abc import Callable

from tests.histories.consent import Consent
from tests.histories.history import FIELDS, History, Operation, without
from tests.histories.values import Values, Written
from tests.histories.world import Crashed, HistoryWorld, Links, Records, Rows, Violation

MOST_CYCLES = 6
"""From any state users may leave, so many polls and pushes come to rest (INV-1)."""


class Machine:
    """Plays one history."""

    def __init__(self, history: History, world: HistoryWorld) -> None:
        self.history, self.world = history, world
        self.values = Values(history.setup)
        self.consent = Consent()
        self.machinery = 0
        self._texts = 0
        self._emails = 0

    @property
    def written(self) -> Written:
        """What users wrote since the last rest."""
        return self.values.written

    def play(self) -> None:
        """Every operation, then rest and checks; raises Violation."""
        for operation in self.history.operations:
            getattr(self, f"_{operation.verb}")(operation)
        if not self.history.operations or self.history.operations[-1].verb != "settle":
            self._settle(Operation("settle"))

    # -- choosing ---------------------------------------------------------------------------------------------

    def _text(self, side: str) -> str:
        self._texts += 1
        return f"{side}{self._texts}"

    def _record(self, number: int) -> str | None:
        keys = sorted(self.world.records(), key=_natural)
        return keys[number % len(keys)] if keys else None

    def _row(self, number: int, *, is_deleted: bool = False) -> str | None:
        rows = self.world.rows()
        keys = sorted((k for k, row in rows.items() if row.is_deleted == is_deleted and not row.is_converted))
        return keys[number % len(keys)] if keys else None

    # -- users ------------------------------------------------------------------------------------------------

    def _add_local(self, op: Operation) -> None:
        email, is_new = self._email(op)
        before = set(self.world.records())
        name = FIELDS[op.b % len(FIELDS)]
        key = self.world.add_local(email, {name: (text := self._text("p"))})
        if key not in before:
            self._note("local", key, name, text)
        self.written.moved = self.written.moved or not is_new

    def _add_remote(self, op: Operation) -> None:
        name = FIELDS[op.b % len(FIELDS)]
        email, is_new = self._email(op)
        key = self.world.add_remote(email, {name: (text := self._text("s"))})
        self._note("remote", key, name, text)
        self.written.moved = self.written.moved or not is_new

    def _note(self, side: str, key: str, name: str, text: str) -> None:
        self.written.note(side, key, name, text, machinery=self.machinery)

    def _email(self, op: Operation) -> tuple[str, bool]:
        """An address and whether it is new; now and then that of somebody who is there already."""
        if op.c % 4 == 0 and self._emails:
            return f"p{op.a % self._emails + 1}@example.com", False
        self._emails += 1
        return f"p{self._emails}@example.com", True

    def _edit_local(self, op: Operation) -> None:
        self._write_local(op, self._text("p"))

    def _blank_local(self, op: Operation) -> None:
        self._write_local(op, "")

    def _write_local(self, op: Operation, text: str) -> None:
        key, name = self._record(op.a), FIELDS[op.b % len(FIELDS)]
        if key is not None:
            before = self.world.records()[key].values[name]
            self.world.edit_local(key, name, text)
            if before != text == self.world.records()[key].values[name]:
                self._note("local", key, name, text)

    def _edit_remote(self, op: Operation) -> None:
        self._write_remote(op, self._text("s"))

    def _blank_remote(self, op: Operation) -> None:
        self._write_remote(op, "")

    def _write_remote(self, op: Operation, text: str) -> None:
        key, name = self._row(op.a), FIELDS[op.b % len(FIELDS)]
        if key is not None:
            before = self.world.rows()[key].values[name]
            self.world.edit_remote(key, name, text)
            if before != self.world.rows()[key].values[name]:
                self._note("remote", key, name, text)

    def _late_edit_remote(self, op: Operation) -> None:
        key, name = self._row(op.a), FIELDS[op.b % len(FIELDS)]
        if key is not None:
            text = self._text("s")
            if not self.world.late_edit_remote(key, name, text, 1 + op.c * 5):
                return
            self._note("remote", key, name, text)
            # When it becomes visible it may be older than what another wrote: both are users' writes.
            self.written.gap.add((key, name))

    def _opt_out_local(self, op: Operation) -> None:
        key = self._record(op.a)
        if key is not None:
            self.world.consent_local(key, True)
            self.consent.out_here(key)

    def _opt_in_local(self, op: Operation) -> None:
        key = self._record(op.a)
        if key is not None and self.world.records()[key].opted_out:
            self.world.consent_local(key, False)
            self.consent.in_here(key)

    def _opt_out_remote(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None and not self.world.rows()[key].opted_out:
            self.world.consent_remote(key, True)
            if self.world.rows()[key].opted_out:
                self.consent.out_there(key, is_in_here=self._stands(key, opted_out=False))

    def _stands(self, row: str, *, opted_out: bool) -> bool:
        """Whether a row has a record, and that stands so."""
        owner = next((key for remote_id, key, _, _ in self.world.links() if remote_id == row), None)
        return owner is not None and self.world.records()[owner].opted_out == opted_out

    def _look(self) -> None:
        self.consent.seen({row for row in self.consent.unticked if self._stands(row, opted_out=True)})

    def _untick_remote(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None:
            was_out = self.world.rows()[key].opted_out
            self.world.consent_remote(key, False)
            self.consent.unticked_there(key, was_out=was_out)

    def _delete_remote(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None:
            self.written.moved = True
            self.world.delete_remote(key)

    def _undelete_remote(self, op: Operation) -> None:
        key = self._row(op.a, is_deleted=True)
        if key is not None:
            self.written.moved = True
            self.world.undelete_remote(key)

    def _merge_remote(self, op: Operation) -> None:
        winner, loser = self._row(op.a), self._row(op.b)
        if winner is not None and loser is not None and winner != loser:
            self.written.moved = True
            owners = {remote_id: key for remote_id, key, _, is_live in self.world.links() if is_live}
            self.world.merge_remote(winner, loser)
            if {winner, loser} <= owners.keys() and self.world.rows()[loser].is_deleted:
                self.consent.inherit(owners[winner], owners[loser])

    def _convert_remote(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None:
            self.written.moved = True
            self.world.convert_remote(key)

    # -- weather ----------------------------------------------------------------------------------------------

    def _hide(self, op: Operation) -> None:
        name = FIELDS[op.a % len(FIELDS)]
        if not self.world.hide(name, silently=bool(op.b % 2)):
            self.written.odd_fields.add(name)

    def _show(self, op: Operation) -> None:
        self.world.show()

    def _trigger(self, op: Operation) -> None:
        name = FIELDS[op.a % len(FIELDS)]
        self.written.odd_fields.add(name)
        self.world.trigger(name)

    def _lock(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None:
            self.world.lock(key)

    def _lose_reply(self, op: Operation) -> None:
        self.world.lose_reply()

    def _wait(self, op: Operation) -> None:
        self.world.wait(op.a * 12)

    # -- machinery --------------------------------------------------------------------------------------------

    def _safely(self, work: Callable[[], None]) -> None:
        self.machinery += 1
        self._look()
        try:
            work()
        except Crashed:
            pass
        finally:
            self.machinery += 1

    def _poll(self, op: Operation) -> None:
        self._safely(self.world.poll)

    def _poll_with_push_between(self, op: Operation) -> None:
        def act() -> None:
            self._edit_remote(Operation("edit_remote", op.a, op.b))
            if op.c % 2:
                self._edit_local(Operation("edit_local", op.a, op.b))
            self.world.push()

        self._safely(lambda: self.world.poll(between=act))

    def _push(self, op: Operation) -> None:
        self._safely(self.world.push)

    def _sync_now(self, op: Operation) -> None:
        key = self._record(op.a)
        if key is not None:
            self._safely(lambda: self.world.sync_now(key))

    def _poll_and_crash(self, op: Operation) -> None:
        self._safely(lambda: self.world.poll(crash_at=op.a % 3))

    def _push_and_crash(self, op: Operation) -> None:
        self._safely(lambda: self.world.push(crash_at=("after_intend", "after_write")[op.a % 2]))

    def _push_with_edit_between(self, op: Operation) -> None:
        self._safely(lambda: self.world.push(between=lambda: self._edit_between(op, is_batch=True)))

    def _sync_now_with_edit_between(self, op: Operation) -> None:
        key = self._record(op.a)
        if key is not None:
            self._safely(lambda: self.world.sync_now(key, between=lambda: self._edit_between(op, is_batch=False)))

    def _edit_between(self, op: Operation, *, is_batch: bool) -> None:
        self._edit_local(Operation("edit_local", op.c, op.b))
        row = self._row(op.b)
        if row is not None:
            self._edit_remote(Operation("edit_remote", op.b, op.c))
            if is_batch:
                self.written.gap.add((row, FIELDS[op.c % len(FIELDS)]))

    # -- rest -------------------------------------------------------------------------------------------------

    def _settle(self, op: Operation) -> None:
        """The fault-free tail: no user, no fault, every commit visible."""
        self.world.clear_weather()
        self._look()
        quiet = 0
        for cycle in range(MOST_CYCLES + 2):
            before = (self.world.counters.remote_writes, self.world.counters.local_changes)
            self.world.poll()
            self.world.push()
            self.world.wait(31)
            is_quiet = before == (self.world.counters.remote_writes, self.world.counters.local_changes)
            # A push may spend a cycle on rows that were moved or deleted, and write in the next one.
            quiet = quiet + 1 if cycle and is_quiet else 0
            if quiet == 2:
                break
        else:
            raise Violation("INV-1", f"not quiet after {MOST_CYCLES} cycles")
        before = (self.world.counters.remote_writes, self.world.counters.local_changes)
        for seconds in (1, 400, 700):
            self.world.wait(seconds)
            self.world.poll()
            self.world.push()
        if before != (self.world.counters.remote_writes, self.world.counters.local_changes):
            raise Violation("INV-4", "a write after the rest")
        self._check()
        self.values.written = Written.after_rest(self.world.records(), self.world.rows())

    # -- checks -----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        records, rows, links = self.world.records(), self.world.rows(), self.world.links()
        errors = self.world.errors()
        self._check_links(links)
        self._check_created()
        for remote_id, key, is_leading, is_live in links:
            row, record = rows.get(remote_id), records[key]
            if row is None:
                continue
            if is_live and row.is_deleted:
                raise Violation("INV-12", f"row {remote_id} is deleted, and its link is live")
            if is_live and is_leading:
                self.values.check(record, row, errors, machinery=self.machinery)
        self._check_activity(records, rows, links)
        blocked = {key for key, category in errors if category == "opt_out_unticked"}
        self.consent.check(records, rows, links, blocked)

    def _check_links(self, links: Links) -> None:
        leading = [key for _, key, is_leading, is_live in links if is_leading and is_live]
        if len(leading) != len(set(leading)):
            raise Violation("INV-8", "two leading links of one record")

    def _check_created(self) -> None:
        made = list(self.world.counters.created.values())
        if len(made) != len(set(made)):
            raise Violation("INV-8", f"two rows were made for one record: {self.world.counters.created}")
        for row, other in self.world.counters.beside.items():
            raise Violation("INV-8", f"{row} was made, and {other} stood there with the same e-mail address")

    def _check_activity(self, records: Records, rows: Rows, links: Links) -> None:
        for key, record in records.items():
            mine = [rows[remote_id] for remote_id, owner, _, _ in links if owner == key and remote_id in rows]
            if not mine:
                continue
            standing = [row for row in mine if not row.is_deleted and not row.is_converted]
            if standing and not record.is_active:
                raise Violation("INV-12", f"record {key} is inactive, and {standing[0].key} stands")
            if not standing and record.is_active and all(row.is_deleted for row in mine):
                raise Violation("INV-12", f"record {key} is active, and all its rows are deleted")


def _natural(key: str) -> tuple[int, str]:
    return len(key), key


def violation_of(history: History, make: Callable[[History], HistoryWorld]) -> Violation | None:
    """Play a history in a fresh world; the invariant that it breaks, if any."""
    try:
        Machine(history, make(history)).play()
    except Violation as violation:
        return violation
    return None


def shrink(history: History, make: Callable[[History], HistoryWorld]) -> History:
    """A history as short as can be that still breaks an invariant: operations are left out, many at first."""
    size = max(1, len(history.operations) // 2)
    while size:
        start = 0
        while start < len(history.operations):
            shorter = without(history, start, start + size)
            if violation_of(shorter, make) is not None:
                history = shorter
            else:
                start += size
        size //= 2
    return history
