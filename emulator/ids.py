"""Salesforce record ids: 15 characters, case sensitive, and the three that make them 18."""

import re
from functools import cache

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def base62(number: int, width: int) -> str:
    """``number`` in base 62, padded with zeros."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits.rjust(width, "0")


def checksum(fifteen: str) -> str:
    """The last three characters: each tells which of five characters are upper case (facts.md, section 4)."""
    suffix = ""
    for start in (0, 5, 10):
        suffix += _CHECK[sum(1 << i for i, c in enumerate(fifteen[start : start + 5]) if "A" <= c <= "Z")]
    return suffix


def full_id(prefix: str, pod: str, number: int) -> str:
    """The 18-character id number ``number`` of an object in the org whose ids carry ``pod``."""
    fifteen = f"{prefix}{pod}0{base62(number, 9)}"
    return fifteen + checksum(fifteen)


def is_id(text: str) -> bool:
    """Whether a text has the shape of an id."""
    return _SHAPE.fullmatch(text) is not None


def normalized(text: str) -> str:
    """The 18-character form of an id."""
    return text + checksum(text) if len(text) == 15 else text


class IdMaker:
    """Ids of one object in ascending order, quickly: for seeding millions of rows."""

    def __init__(self, prefix: str, pod: str) -> None:
        self._prefix, self._pod = prefix, pod
        self._low, self._low_bits = _endings()
        self._high = ""
        self._high_number = -1
        self._head, self._middle = "", ""
        self._high_bits = 0

    def __call__(self, number: int) -> str:
        """The same as ``full_id``."""
        high, low = divmod(number, 62**3)
        if high != self._high_number:
            text = f"{self._prefix}{self._pod}0{base62(high, 6)}"
            self._high_number, self._high = high, text
            self._head = _CHECK[_bits(text[:5], 0)]
            self._middle = _CHECK[_bits(text[5:10], 0)]
            self._high_bits = _bits(text[10:12], 0)
        return f"{self._high}{self._low[low]}{self._head}{self._middle}{_CHECK[self._high_bits + self._low_bits[low]]}"


@cache
def _endings() -> tuple[list[str], list[int]]:
    """The last three characters of ids and what they add to the checksum."""
    texts = [base62(n, 3) for n in range(62**3)]
    return texts, [_bits(text, 2) for text in texts]


def _bits(text: str, first: int) -> int:
    return sum(1 << (first + i) for i, c in enumerate(text) if "A" <= c <= "Z")
