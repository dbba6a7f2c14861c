"""Reading a JSON body that anybody may have written."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework import exceptions
from rest_framework.parsers import BaseParser

MOST_DEPTH = 20
"""Arrays and objects inside each other."""


class Unreadable(exceptions.ParseError):
    """A body that is no JSON, or none that we take."""


class StrictJson(BaseParser):
    """JSON in UTF-8 (RFC 8259), without what programs read differently: doubled names, NaN, infinities, half
    characters, NUL; and not too deep."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return read_json(stream.read())


def read_json(body: bytes) -> Any:
    """The value of a body; raises Unreadable."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.") from error
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise Unreadable(_TOO_DEEP) from error
    except ValueError as error:
        raise Unreadable(f"The body is not JSON: {str(error)[:200]}") from error
    _check(value)
    return value


_TOO_DEEP = f"The body is nested too deeply: at most {MOST_DEPTH} levels."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"The name {doubled[:60]!a} stands twice in one object.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is no JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Unreadable(f"The number {text[:40]} is too large.")
    return number


def _check(value: Any) -> None:
    """Refuse what is too deep, and text that cannot be stored; level by level, so that depth costs no stack."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MOST_DEPTH + 1:
            raise Unreadable(_TOO_DEEP)
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, str):
                check_text(one)
            elif isinstance(one, dict):
                deeper.extend(one.keys())
                deeper.extend(one.values())
            elif isinstance(one, list):
                deeper.extend(one)
        level = deeper


def check_text(text: str) -> None:
    """Refuse text that is no Unicode, or holds the one character that PostgreSQL cannot hold."""
    if "\0" in text:
        raise Unreadable("Text may not hold the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unreadable("Text may not hold half a character (an unpaired surrogate).") from error
