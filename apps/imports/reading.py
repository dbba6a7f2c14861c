"""Reading CSV of any provenance: encoding, delimiter, records with the bytes they take."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

csv.field_size_limit(8_000_000)  # what is too long for a field is refused in words, not by the parser

DELIMITERS = (",", ";", "\t")
LARGEST_RECORD = 4_000_000
"""Bytes of one record: more is a quotation mark that is never closed."""
_BLOCK = 256 * 1024
_SAMPLE = 64 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MOST_COLUMNS = 500
_WORDS = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252", "latin-1": "Latin-1"}


class BadFile(Exception):
    """A file that cannot be read, with the reason in words."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the beginning of a file says: its delimiter, its header, and where its rows begin."""

    delimiter: str
    header: list[str]
    data_start: int


@dataclass(frozen=True, slots=True)
class Record:
    """Cells, and the bytes that they take in the file."""

    cells: list[str]
    start: int
    end: int

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


def encoding_of(source: IO[bytes]) -> str:
    """UTF-8 where the bytes are; otherwise what Windows or Unix wrote in Western Europe. Rewinds the file."""
    source.seek(0)
    head = source.read(4)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    for name in ("utf-8", "cp1252"):
        source.seek(0)
        decoder = codecs.getincrementaldecoder(name)()
        try:
            while block := source.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def encoding_words(name: str) -> str:
    """An encoding as people call it."""
    return _WORDS.get(name, name)


def as_utf8(source: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The file in UTF-8 with line feeds and without NUL, block by block. Raises BadFile."""
    source.seek(0)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    try:
        while block := source.read(_BLOCK):
            yield decoder.decode(block).replace("\0", "").encode()
        yield decoder.decode(b"", final=True).replace("\0", "").encode()
    except UnicodeError:
        raise BadFile("The file is damaged: its text breaks off in the middle of a character.") from None


def layout_of(beginning: bytes, *, is_whole: bool, delimiter: str = "") -> Layout:
    """Read the beginning of a file. A line ``sep=;`` (Excel) says the delimiter. Raises BadFile."""
    offset = 0
    first = beginning.partition(b"\n")[0]
    if first.lower().startswith(b"sep=") and len(first) == 5:
        delimiter = delimiter or first[4:].decode("ascii", "replace")
        offset = len(first) + 1
    sample = beginning[offset : offset + _SAMPLE]
    if not (is_whole and len(sample) == len(beginning) - offset) and b"\n" in sample:
        sample = sample[: sample.rindex(b"\n") + 1]
    chosen = delimiter if delimiter in DELIMITERS else _delimiter(sample)
    records = read_records(iter([beginning[offset:]]), chosen, offset)
    head = next((record for record in records if not record.is_blank), None)
    if head is None:
        raise BadFile("The file is empty.")
    header = [cell.strip() or f"Column {number}" for number, cell in enumerate(head.cells, 1)]
    while header and not head.cells[len(header) - 1].strip():
        header.pop()
    if len(header) > _MOST_COLUMNS:
        raise BadFile(f"The file has more than {_MOST_COLUMNS} columns.")
    if any(len(name) > 1000 for name in header):
        raise BadFile("The first row does not look like a header: a cell of it has more than a thousand characters.")
    return Layout(chosen, header, head.end)


def _delimiter(sample: bytes) -> str:
    """The delimiter that makes the most columns of which all rows have the same number."""

    def fitness(delimiter: str) -> tuple[int, int]:
        widths: list[int] = []
        try:
            for record in read_records(iter([sample]), delimiter, 0):
                widths.append(len(record.cells))
                if len(widths) == 20:
                    break
        except BadFile:
            return (0, 0)
        if not widths or widths[0] < 2:
            return (0, 0)
        return (sum(width == widths[0] for width in widths) * 20 // len(widths), widths[0])

    return max(DELIMITERS, key=fitness)


def read_records(blocks: Iterator[bytes], delimiter: str, position: int) -> Iterator[Record]:
    """Records of UTF-8 blocks that begin at ``position`` of the file. Raises BadFile for one without an end."""
    lines = _Lines(blocks, position)
    reader = csv.reader(lines, delimiter=delimiter)
    start = position
    try:
        for cells in reader:
            yield Record(cells, start, lines.position)
            start = lines.start_record()
    except csv.Error:
        raise BadFile("A cell is too long to be read. Is a quotation mark not closed?") from None


class _Lines:
    """Lines of text for the CSV reader, counting the bytes that were handed out."""

    def __init__(self, blocks: Iterator[bytes], position: int) -> None:
        self._blocks = blocks
        self._block = b""
        self._at = 0
        self._record = position
        self.position = position

    def __iter__(self) -> "_Lines":
        return self

    def start_record(self) -> int:
        """The next line begins a record."""
        self._record = self.position
        return self.position

    def __next__(self) -> str:
        if self.position - self._record > LARGEST_RECORD:
            raise BadFile("A row does not come to its end. Is a quotation mark not closed?")
        parts, length = [], 0
        while (cut := self._block.find(b"\n", self._at)) < 0:
            parts.append(self._block[self._at :])
            length += len(parts[-1])
            if length > LARGEST_RECORD:
                raise BadFile("A row is longer than four million characters.")
            block = next(self._blocks, None)
            self._block, self._at = block or b"", 0
            if block is None:
                break
        else:
            parts.append(self._block[self._at : cut + 1])
            self._at = cut + 1
        line = b"".join(parts)
        if not line:
            raise StopIteration
        self.position += len(line)
        return line.decode("utf-8", "replace")
