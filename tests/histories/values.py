"""Values: what users wrote, and what each field of a record and its leading row may hold at rest."""

from dataclasses import dataclass, field

from tests.histories.history import FIELDS, Setup
from tests.histories.world import LocalView, Records, RemoteView, Rows, Violation


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

    @classmethod
    def after_rest(cls, records: Records, rows: Rows) -> "Written":
        """Nothing yet, and what is there."""
        fresh = cls()
        for key, record in records.items():
            fresh.before_local |= {(key, name): text for name, text in record.values.items()}
        for key, row in rows.items():
            fresh.before_remote |= {(key, name): text for name, text in row.values.items()}
        return fresh

    def note(self, side: str, key: str, name: str, text: str, *, machinery: int) -> None:
        """A user has written."""
        (self.local if side == "local" else self.remote)[key, name] = text
        self.texts.setdefault((side, key, name), set()).add(text)
        self.counts[side, key, name] = machinery


@dataclass(frozen=True, slots=True)
class Pair:
    """A field of a record and of its leading row, at rest: what is there, what users wrote last, what was before."""

    name: str
    record: str
    row: str
    local: str
    remote: str
    ours: str | None
    theirs: str | None
    old_local: str
    old_remote: str

    @property
    def here(self) -> tuple[str, str]:
        """The field of the record."""
        return self.record, self.name

    @property
    def there(self) -> tuple[str, str]:
        """The field of the row."""
        return self.row, self.name

    @property
    def now(self) -> tuple[str, str]:
        """What both sides hold."""
        return self.local, self.remote

    @property
    def last(self) -> tuple[str | None, str | None]:
        """What users wrote last on each side."""
        return self.ours, self.theirs

    @property
    def old(self) -> tuple[str, str]:
        """What both sides held at the last rest."""
        return self.old_local, self.old_remote


class Values:
    """Holds fields against the ways, winners and blank policies of a setup."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.written = Written()
        self._rules = {name: (way_in, way_out, winner) for name, way_in, way_out, winner in setup.rules}

    def check(self, record: LocalView, row: RemoteView, errors: list[tuple[str, str]], *, machinery: int) -> None:
        """Every field of a record and its leading row; one that automation in the org fights is blocked by an error
        that says so. ``machinery``: how often it has worked by now."""
        for name in FIELDS:
            if (record.key, f"changed_back {name}") not in errors:
                self._check_field(self._pair(name, record, row), machinery)

    def _pair(self, name: str, record: LocalView, row: RemoteView) -> Pair:
        written, here, there = self.written, (record.key, name), (row.key, name)
        return Pair(
            name,
            record.key,
            row.key,
            record.values[name],
            row.values[name],
            written.local.get(here),
            written.remote.get(there),
            written.before_local.get(here, ""),
            written.before_remote.get(there, ""),
        )

    def _check_field(self, pair: Pair, machinery: int) -> None:
        if not self._agrees(pair):
            raise Violation(
                "INV-2", f"{pair.name} of {pair.record}/{pair.row} is {pair.local!r} here and {pair.remote!r} there"
            )
        written = self.written
        if written.moved or pair.name in written.odd_fields or pair.there in written.gap:
            return
        self._check_blanks(pair)
        self._check_contained(pair)
        way_in, way_out, _ = self._rules[pair.name]
        if (way_in, way_out) == ("overwrite", "overwrite"):
            self._check_two_way(pair, machinery)
        elif way_in == "overwrite" and pair.theirs and pair.local != pair.theirs:
            raise Violation(
                "INV-3", f"{pair.name}: Salesforce rules and wrote {pair.theirs!r}, and here is {pair.local!r}"
            )
        elif way_out == "overwrite" and way_in == "off" and pair.ours and pair.remote != pair.ours:
            raise Violation(
                "INV-3", f"{pair.name}: Syncline rules and wrote {pair.ours!r}, and there is {pair.remote!r}"
            )

    def _agrees(self, pair: Pair) -> bool:
        """Both sides agree under the field's ways; a blank that policy holds back is excused."""
        way_in, way_out, _ = self._rules[pair.name]
        if pair.local == pair.remote:
            return True
        if "overwrite" in (way_in, way_out):
            return (pair.remote == "" and not self.setup.blank_in) or (pair.local == "" and not self.setup.blank_out)
        if way_in == "fill" and pair.local == "":
            return False
        return not (way_out == "fill" and pair.remote == "")

    def _check_blanks(self, pair: Pair) -> None:
        """Where policy holds blanks back, only a user makes a value blank."""
        known_local = pair.ours if pair.ours is not None else pair.old_local
        known_remote = pair.theirs if pair.theirs is not None else pair.old_remote
        if not self.setup.blank_in and pair.local == "" and known_local != "":
            raise Violation("INV-15", f"{pair.name} of {pair.record} was {known_local!r}, and was made blank")
        if not self.setup.blank_out and pair.remote == "" and known_remote != "":
            raise Violation("INV-15", f"{pair.name} of {pair.row} was {known_remote!r}, and was made blank")

    def _check_contained(self, pair: Pair) -> None:
        """A way that is off never flows, and one that fills never replaces."""
        way_in, way_out, _ = self._rules[pair.name]
        if way_in == "off" and pair.local != (pair.ours if pair.ours is not None else pair.old_local):
            raise Violation("INV-16", f"{pair.name} never comes in, and is {pair.local!r} here")
        if way_out == "off" and pair.remote != (pair.theirs if pair.theirs is not None else pair.old_remote):
            raise Violation("INV-16", f"{pair.name} never goes out, and is {pair.remote!r} there")
        had_value = pair.ours or (pair.ours is None and pair.old_local)
        if (way_in, way_out) == ("fill", "off") and had_value and pair.local != (pair.ours or pair.old_local):
            raise Violation("INV-16", f"{pair.name} only fills here, and {pair.local!r} replaced a value")

    def _check_two_way(self, pair: Pair, machinery: int) -> None:
        """A two-way field holds what one of the users wrote last; what was there, where none wrote."""
        allowed = {text for text in pair.last if text is not None} or set(pair.old)
        if not (self.setup.blank_in and self.setup.blank_out) and "" in allowed:
            self._check_held_back(pair)
            return
        winner = self._winner_of(pair, machinery)
        if winner is not None and pair.now != (winner, winner):
            raise Violation(
                "INV-3", f"{pair.name}: users wrote {pair.last} at once, {winner!r} wins, and {pair.local!r} is here"
            )
        for text in pair.now:
            if text not in allowed:
                raise Violation(
                    "INV-3", f"{pair.name}: users wrote {pair.last}, before it was {pair.old}, and {text!r} is there"
                )

    def _check_held_back(self, pair: Pair) -> None:
        """A two-way field in which one side is blank, and one side or nobody wrote since the last rest: it stays so."""
        setup, texts = self.setup, self.written.texts
        may_be: set[tuple[str, str]] = set()
        if pair.last == (None, None):
            may_be = {pair.old}
        elif pair.last == (None, ""):
            known = texts["remote", *pair.there] | {pair.old_local}
            may_be = {("", "")} if setup.blank_in else {(text, "") for text in known}
        elif pair.last == ("", None):
            known = texts["local", *pair.here] | {pair.old_remote}
            may_be = {("", "")} if setup.blank_out else {("", text) for text in known}
        if may_be and pair.now not in may_be:
            raise Violation(
                "INV-15", f"{pair.name}: users wrote {pair.last}, before it was {pair.old}, and it is {pair.now}"
            )

    def _winner_of(self, pair: Pair, machinery: int) -> str | None:
        """The winner of a plain conflict: both sides wrote, and nothing was exchanged since the first of them."""
        written = self.written
        counts = {written.counts.get(("local", *pair.here)), written.counts.get(("remote", *pair.there))}
        if counts != {machinery} or pair.here not in written.before_local or pair.there not in written.before_remote:
            return None
        if not (pair.ours and pair.theirs):
            return None
        return {"local": pair.ours, "remote": pair.theirs}.get(self._rules[pair.name][2])
