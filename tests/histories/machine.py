"""Play a history in a world, let it come to rest, and hold it against the invariants."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.histories.history import FIELDS, History, Operation, without
from tests.histories.world import Crashed, HistoryWorld, LocalView, RemoteView

MOST_CYCLES = 6
"""From any state users may leave, so many polls and pushes come to rest (INV-1)."""

Records = dict[str, LocalView]
Rows = dict[str, RemoteView]
Links = list[tuple[str, str, bool, bool]]


class Violation(Exception):
    """An invariant does not hold; ``args`` are its id and the words."""

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}"


@dataclass
class Written:
    """What users wrote last since the last rest, and what was there at that rest."""

    local: dict[tuple[str, str], str] = field(default_factory=dict)
    remote: dict[tuple[str, str], str] = field(default_factory=dict)
    before_local: dict[tuple[str, str], str] = field(default_factory=dict)
    before_remote: dict[tuple[str, str], str] = field(default_factory=dict)
    odd_fields: set[str] = field(default_factory=set)
    """Fields that the org rewrote or hid: only agreement is asked of them."""
    moved: bool = False
    """Rows were merged, converted, deleted or joined: only agreement is asked of values."""
    texts: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    """(side, key, field) → every text that users wrote there."""
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(side, key, field) of a write → how often the machinery had worked by then."""
    gap: set[tuple[str, str]] = field(default_factory=set)
    """(row, field) that a user wrote between our read and our write of a batch: the declared gap."""


class Machine:
    """Plays one history."""

    def __init__(self, history: History, world: HistoryWorld) -> None:
        self.history, self.world = history, world
        self.written = Written()
        self.opted_out: set[str] = set()
        self.opted_in: set[str] = set()
        self.heirs: dict[str, str] = {}
        """Records whose opt-out another has inherited by a merge in the org, and that other."""
        self.must_be_out: set[str] = set()
        """Rows whose opt-out nobody has taken back who knew of it."""
        self.unknown_out: set[str] = set()
        self.unticked: set[str] = set()
        """Rows whose known opt-out was taken back unseen: set again, it looks as if nothing had been."""
        self.machinery = 0
        self._texts = 0
        self._emails = 0
        self.rules = {name: (way_in, way_out, winner) for name, way_in, way_out, winner in history.setup.rules}

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
        """A user has written."""
        (self.written.local if side == "local" else self.written.remote)[key, name] = text
        self.written.texts.setdefault((side, key, name), set()).add(text)
        self.written.counts[side, key, name] = self.machinery

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
            self.opted_out.add(key)
            self.opted_in.discard(key)

    def _opt_in_local(self, op: Operation) -> None:
        key = self._record(op.a)
        if key is not None and self.world.records()[key].opted_out:
            self.world.consent_local(key, False)
            self.opted_in.add(key)
            self.opted_out.discard(self.heirs.get(key, ""))
            self.must_be_out &= self.unknown_out

    def _opt_out_remote(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None and not self.world.rows()[key].opted_out:
            self.world.consent_remote(key, True)
            if not self.world.rows()[key].opted_out:
                return
            if key not in self.unticked:
                self.unknown_out.add(key)
                self.must_be_out.add(key)
            elif not self._is_opted_in(key):
                # An un-tick that nobody saw was taken back: the row is as it was, and an opt-in here came after that.
                self.must_be_out.add(key)

    def _is_opted_in(self, row: str) -> bool:
        """Whether the record of a row stands opted in."""
        owner = next((key for remote_id, key, _, _ in self.world.links() if remote_id == row), None)
        return owner is not None and not self.world.records()[owner].opted_out

    def _untick_remote(self, op: Operation) -> None:
        key = self._row(op.a)
        if key is not None:
            if self.world.rows()[key].opted_out and key not in self.unknown_out:
                self.unticked.add(key)
            self.world.consent_remote(key, False)
            self.must_be_out.discard(key)

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
                self._inherit(owners[winner], owners[loser])

    def _inherit(self, survivor: str, other: str) -> None:
        """Of two records that become one the strictest consent counts."""
        if other in self.opted_out - self.opted_in and survivor != other:
            self.opted_out.add(survivor)
            self.opted_in.discard(survivor)
            self.heirs[other] = survivor

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
        self.unknown_out.clear()
        self.unticked.clear()
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
        self.unknown_out.clear()
        self.unticked.clear()
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
        self._begin_anew()

    def _begin_anew(self) -> None:
        fresh = Written()
        for key, record in self.world.records().items():
            fresh.before_local |= {(key, name): text for name, text in record.values.items()}
        for key, row in self.world.rows().items():
            fresh.before_remote |= {(key, name): text for name, text in row.values.items()}
        self.written = fresh

    # -- checks -----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        records, rows, links = self.world.records(), self.world.rows(), self.world.links()
        self._check_links(links)
        self._check_created()
        for remote_id, key, is_leading, is_live in links:
            row, record = rows.get(remote_id), records[key]
            if row is None:
                continue
            if is_live and row.is_deleted:
                raise Violation("INV-12", f"row {remote_id} is deleted, and its link is live")
            if is_live and is_leading:
                for name in FIELDS:
                    self._check_field(name, record.values[name], row.values[name], (key, name), (remote_id, name))
        self._check_activity(records, rows, links)
        self._check_consent(records, rows, links)

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

    def _check_field(self, name: str, local: str, remote: str, here: tuple[str, str], there: tuple[str, str]) -> None:
        way_in, way_out, _ = self.rules[name]
        if (here[0], f"changed_back {name}") in self.world.errors():
            return  # automation in the org fights this field: it is blocked, with an error that says so
        if not self._agrees(way_in, way_out, local, remote):
            raise Violation("INV-2", f"{name} of {here[0]}/{there[0]} is {local!r} here and {remote!r} there")
        written = self.written
        if written.moved or name in written.odd_fields or there in written.gap:
            return
        ours, theirs = written.local.get(here), written.remote.get(there)
        old_here, old_there = written.before_local.get(here, ""), written.before_remote.get(there, "")
        self._check_blank("local", local, ours, old_here, f"{name} of {here[0]}")
        self._check_blank("remote", remote, theirs, old_there, f"{name} of {there[0]}")
        if way_in == "off" and local != (ours if ours is not None else old_here):
            raise Violation("INV-16", f"{name} never comes in, and is {local!r} here")
        if way_out == "off" and remote != (theirs if theirs is not None else old_there):
            raise Violation("INV-16", f"{name} never goes out, and is {remote!r} there")
        if (
            way_in == "fill"
            and way_out == "off"
            and (ours or (ours is None and old_here))
            and local != (ours or old_here)
        ):
            raise Violation("INV-16", f"{name} only fills here, and {local!r} replaced a value")
        if (way_in, way_out) == ("overwrite", "overwrite"):
            self._check_two_way(name, local, remote, (ours, theirs), (old_here, old_there), here, there)
        elif way_in == "overwrite" and theirs and local != theirs:
            raise Violation("INV-3", f"{name}: Salesforce rules and wrote {theirs!r}, and here is {local!r}")
        elif way_out == "overwrite" and way_in == "off" and ours and remote != ours:
            raise Violation("INV-3", f"{name}: Syncline rules and wrote {ours!r}, and there is {remote!r}")

    def _check_two_way(
        self,
        name: str,
        local: str,
        remote: str,
        last: tuple[str | None, str | None],
        old: tuple[str | None, str | None],
        here: tuple[str, str],
        there: tuple[str, str],
    ) -> None:
        ours, theirs = last
        allowed = {text for text in (ours, theirs) if text is not None}
        if not allowed:
            allowed = {text for text in old if text is not None}
        if self._holds_blanks_back() and "" in allowed:
            self._check_held_back(name, (local, remote), last, old, here, there)
            return
        winner = self._winner_of(name, here, there)
        if winner is not None and (local, remote) != (winner, winner):
            raise Violation("INV-3", f"{name}: users wrote {last} at once, {winner!r} wins, and {local!r} is here")
        for text in (local, remote):
            if allowed and text not in allowed:
                raise Violation("INV-3", f"{name}: users wrote {last}, before it was {old}, and {text!r} is there")

    def _check_blank(self, side: str, text: str, last: str | None, old: str, what: str) -> None:
        """Where policy holds blanks back, only a user makes a value blank."""
        setup = self.history.setup
        held_back = not (setup.blank_in if side == "local" else setup.blank_out)
        if held_back and text == "" and (last if last is not None else old) != "":
            raise Violation("INV-15", f"{what} was {last if last is not None else old!r}, and was made blank")

    def _check_held_back(
        self,
        name: str,
        now: tuple[str, str],
        last: tuple[str | None, str | None],
        old: tuple[str | None, str | None],
        here: tuple[str, str],
        there: tuple[str, str],
    ) -> None:
        """A two-way field in which one side is blank, and one side or nobody wrote since the last rest: it stays so."""
        ours, theirs = last
        setup, texts = self.history.setup, self.written.texts
        may_be: set[tuple[str | None, str | None]] = set()
        if ours is None and theirs is None:
            may_be = {old}
        elif theirs == "" and ours is None:
            may_be = {("", "")} if setup.blank_in else {(text, "") for text in texts["remote", *there] | {old[0]}}
        elif ours == "" and theirs is None:
            may_be = {("", "")} if setup.blank_out else {("", text) for text in texts["local", *here] | {old[1]}}
        if may_be and now not in may_be:
            raise Violation("INV-15", f"{name}: users wrote {last}, before it was {old}, and it is {now}")

    def _winner_of(self, name: str, here: tuple[str, str], there: tuple[str, str]) -> str | None:
        """The winner of a plain conflict: both sides wrote, and nothing was exchanged since the first of them."""
        written = self.written
        counts = {written.counts.get(("local", *here)), written.counts.get(("remote", *there))}
        if counts != {self.machinery} or here not in written.before_local or there not in written.before_remote:
            return None
        if not (written.local[here] and written.remote[there]):
            return None
        return {"local": written.local[here], "remote": written.remote[there]}.get(self.rules[name][2])

    def _holds_blanks_back(self) -> bool:
        setup = self.history.setup
        return not (setup.blank_in and setup.blank_out)

    def _agrees(self, way_in: str, way_out: str, local: str, remote: str) -> bool:
        setup = self.history.setup
        if local == remote:
            return True
        if "overwrite" in (way_in, way_out) and (local == "" or remote == ""):
            return (remote == "" and not setup.blank_in) or (local == "" and not setup.blank_out)
        if "overwrite" in (way_in, way_out):
            return False
        if way_in == "fill" and local == "":
            return False
        return not (way_out == "fill" and remote == "")

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

    def _check_consent(self, records: Records, rows: Rows, links: Links) -> None:
        blocked = {key for key, category in self.world.errors() if category == "opt_out_unticked"}
        for remote_id, key, _, is_live in links:
            row, record = rows.get(remote_id), records[key]
            if row is None or not is_live or row.is_deleted or row.is_converted:
                continue
            if row.opted_out and not record.opted_out:
                raise Violation("INV-18", f"{remote_id} has opted out, and record {key} has not")
            if record.opted_out and not row.opted_out and key not in blocked:
                raise Violation("INV-18", f"record {key} has opted out, and {remote_id} has not")
        for remote_id, key, _, is_live in links:
            is_out = remote_id in self.must_be_out and is_live and not rows[remote_id].is_deleted
            if is_out and not records[key].opted_out:
                raise Violation("INV-18", f"{remote_id} was opted out by a user, and record {key} is not")
        for key in self.opted_out - self.opted_in:
            if key in records and records[key].is_active and not records[key].opted_out:
                raise Violation("INV-18", f"record {key} opted out, and somebody else opted it in")


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
