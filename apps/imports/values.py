"""Cells as canonical text of their fields; what cannot be is refused with the reason, row by row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from apps.audience.fields import LONGEST_TEXT, BadValue, Kind, plain_text, read_value
from apps.domain.values import BLANKS, domain_of
from apps.imports.columns import OPT_OUT, Target

_YES = frozenset({"yes", "true", "1", "y", "x", "on", "opted out", "unsubscribed"})
_NO = frozenset({"no", "false", "0", "n", "off", "opted in", "subscribed"})
Reader = Callable[[str], str]
REPEATED, BLANK, EXISTS, ERASED = "repeated", "blank", "exists", "erased"
SKIP_WORDS = {
    REPEATED: "About the same person or company as an earlier row: taken together with it",
    BLANK: "Empty rows",
    EXISTS: "Here already, left as it is",
    ERASED: "Erased on request, and not taken in again",
}


@dataclass(slots=True)
class Row:
    """A row that can be taken: canonical text by field; what is missing changes nothing."""

    number: int
    values: dict[str, str]


@dataclass(slots=True)
class Batch:
    """Rows of a chunk, sorted out."""

    rows: list[Row] = field(default_factory=list)
    problems: list[tuple[int, str, list[str]]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def skip(self, reason: str, count: int = 1) -> None:
        """Count rows that are left out, by reason."""
        if count:
            self.skipped[reason] = self.skipped.get(reason, 0) + count


class Sorter:
    """Reads rows of one import."""

    def __init__(self, record_type: str, header: Sequence[str], mapping: Mapping[int, Target], mode: str) -> None:
        self._width = len(header)
        self._columns = [(number, target.name, target.label, _reader(target)) for number, target in mapping.items()]
        self._is_person = record_type == "person"
        self._later_wins = mode == "update"
        self._by_key: dict[str, Row] = {}

    def take(self, batch: Batch, number: int, cells: list[str]) -> None:
        """Sort one row into the batch."""
        batch.count += 1
        if not any(cells) or not any(cell.strip() for cell in cells):
            batch.skip(BLANK)
            return
        values, wrong = self._read(cells)
        if not wrong:
            wrong = self._lacking(values)
        if wrong:
            batch.problems.append((number, "; ".join(wrong), [cell[: LONGEST_TEXT + 1] for cell in cells]))
            return
        keys = self._keys(values)
        earlier = self._by_key.get(keys[0]) if keys else None
        if earlier is not None:
            self._join(earlier, values)
            batch.skip(REPEATED)
            return
        row = Row(number, values)
        batch.rows.append(row)
        for key in keys:
            self._by_key.setdefault(key, row)

    def _keys(self, values: Mapping[str, str]) -> list[str]:
        """What a row is known by: the first finds an earlier row about the same record; none for somebody without
        e-mail. A company without website is found by its name."""
        if self._is_person:
            return [values["email"]] if "email" in values else []
        site = domain_of(values.get("website", ""))
        return ([f"site {site}"] if site else []) + [f"name {values['name'].lower()}"]

    def _read(self, cells: list[str]) -> tuple[dict[str, str], list[str]]:
        values: dict[str, str] = {}
        wrong: list[str] = []
        width = len(cells)
        if width > self._width and any(cell.strip() for cell in cells[self._width :]):
            wrong.append("The row has more cells than the header")
        for number, name, label, read in self._columns:
            if number >= width:
                continue
            try:
                text = read(cells[number])
            except BadValue as error:
                wrong.append(f"{label}: {error}".rstrip("."))
                continue
            if text:
                values[name] = text
        return values, wrong

    def _lacking(self, values: Mapping[str, str]) -> list[str]:
        if self._is_person:
            if not (values.get("email") or values.get("first_name") or values.get("last_name")):
                return ["There is neither an e-mail address nor a name"]
        elif not values.get("name"):
            return ["There is no name"]
        return []

    def _join(self, earlier: Row, values: Mapping[str, str]) -> None:
        """A later row about the same person: the later value counts where the file replaces what is here."""
        for name, text in values.items():
            if self._later_wins or name not in earlier.values or name == OPT_OUT:
                earlier.values[name] = text


def _reader(target: Target) -> Reader:
    known = target.field
    if known is None:
        return _opt_out
    if known.kind in {Kind.TEXT, Kind.LONG_TEXT}:
        return _text

    def read(cell: str) -> str:
        return plain_text(read_value(known, cell))

    return read


def _text(cell: str) -> str:
    text = cell.strip(BLANKS)
    if len(text) > LONGEST_TEXT:
        raise BadValue(f"This is too long: at most {LONGEST_TEXT:,} characters.")
    return text


def _opt_out(cell: str) -> str:
    """ "true" for an opt-out; "" for everything that says nothing. A file opts nobody in."""
    said = cell.strip().lower()
    if said in _YES:
        return "true"
    if said and said not in _NO:
        raise BadValue("This is neither yes nor no.")
    return ""
