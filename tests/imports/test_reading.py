"""CSV of any provenance: encodings, delimiters, quotes, and what is hostile (I03)."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.imports.reading import (
    LARGEST_RECORD,
    BadFile,
    as_utf8,
    encoding_of,
    layout_of,
    read_records,
)

TEXT = "name,city\nZoë Müller,Köln\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("cp1252"), "cp1252"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.replace("\n", "\r\n").encode("cp1252"), "cp1252"),
        (TEXT.replace("\n", "\r").encode(), "utf-8"),
        (TEXT.replace("Köln", "K\0öln").encode(), "utf-8"),
    ],
)
def test_file_of_any_encoding_and_line_end_reads_the_same(raw: bytes, encoding: str) -> None:
    source = io.BytesIO(raw)
    assert encoding_of(source) == encoding
    assert b"".join(as_utf8(source, encoding)) == TEXT.encode()


def test_bytes_that_no_windows_knows_are_latin_1() -> None:
    assert encoding_of(io.BytesIO(b"name\n\x81\x8d\xe9\n")) == "latin-1"


def test_euro_sign_of_windows_is_one() -> None:
    source = io.BytesIO("price\n5 €\n".encode("cp1252"))
    assert b"".join(as_utf8(source, encoding_of(source))).decode() == "price\n5 €\n"


def test_broken_utf_16_is_refused_in_words() -> None:
    source = io.BytesIO("name\n".encode("utf-16") + b"x")
    with pytest.raises(BadFile, match="damaged"):
        list(as_utf8(source, encoding_of(source)))


@pytest.mark.parametrize(
    ("text", "delimiter", "header"),
    [
        ("a,b,c\n1,2,3\n", ",", ["a", "b", "c"]),
        ("a;b;c\n1,5;2,5;3\n", ";", ["a", "b", "c"]),
        ("a\tb\n1, 2\t3\n", "\t", ["a", "b"]),
        ("email\nx@y.example\n", ",", ["email"]),
        ('"a;b",c\n"1;2;3",4\n', ",", ["a;b", "c"]),
        ("sep=;\na;b\n1;2\n", ";", ["a", "b"]),
        ("\n\na,,b,,\n1,2,3,,\n", ",", ["a", "Column 2", "b"]),
        ("a,a\n1,2\n", ",", ["a", "a"]),
    ],
)
def test_delimiter_and_header_are_found(text: str, delimiter: str, header: list[str]) -> None:
    layout = layout_of(text.encode(), is_whole=True)
    assert (layout.delimiter, layout.header) == (delimiter, header)
    first = next(read_records(iter([text.encode()[layout.data_start :]]), delimiter, layout.data_start))
    assert first.cells[0] in {"1", "1, 2", "1,5", "1;2;3", "x@y.example"}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\n\n \n", "empty"),
        (b'"' + b"x" * 9_000_000, "not closed|longer than"),
        (b"a" * 5_000_000, "longer than"),
        (b"x" * 1500 + b",b\n", "does not look like a header"),
        (b",".join([b"c"] * 600) + b"\n", "more than 500 columns"),
    ],
)
def test_hostile_beginning_is_refused_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        layout_of(raw, is_whole=True)


def test_quotation_mark_that_is_never_closed_ends_the_reading() -> None:
    data = b'a,b\n1,"2\n' + b"x,y\n" * (LARGEST_RECORD // 4 + 10)
    with pytest.raises(BadFile, match="not closed"):
        list(read_records(iter([data]), ",", 0))


CELLS = st.text('ab",; \t\u00e9\U0001f469\n', max_size=6)


@given(st.lists(st.lists(CELLS, min_size=1), max_size=12), st.integers(1, 50))
def test_records_know_their_bytes_however_the_file_is_cut(rows: list[list[str]], block: int) -> None:
    """Reading may begin again at the end of any record, which is how an import goes on after a crash."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = text.getvalue().encode()
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    records = list(read_records(iter(blocks), ",", 0))
    assert [record.cells for record in records] == rows
    assert [record.start for record in records] == [0, *[record.end for record in records]][: len(records)]
    for record in records:
        again = list(read_records(iter([data[record.end :]]), ",", record.end))
        assert [one.cells for one in again] == [one.cells for one in records if one.start >= record.end]
