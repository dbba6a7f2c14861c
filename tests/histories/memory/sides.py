"""Both sides in memory, and what users and the org do to them."""

from datetime import UTC, datetime, timedelta

from apps.domain.decider import BlankPolicy
from apps.domain.mapping import FieldRule, Way, Winner
from apps.domain.reconcile import Policy
from apps.domain.values import FieldType
from tests.histories.history import FIELDS, Setup
from tests.histories.memory.state import EMAIL, Change, Intent, Link, Record, Row
from tests.histories.world import Counters, Links, LocalView, Records, RemoteView, Rows

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Sides:
    """Both sides, as users and the org change them, and what the engine keeps of them."""

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

    def records(self) -> Records:
        return {str(r.id): LocalView(str(r.id), dict(r.values), r.is_active, r.opted_out) for r in self.local.values()}

    def rows(self) -> Rows:
        return {
            r.id: RemoteView(r.id, dict(r.values), r.opted_out, r.is_deleted, bool(r.contact), r.merged_into)
            for r in self.remote.values()
        }

    def links(self) -> Links:
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
