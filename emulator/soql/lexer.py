"""Tokens of a query."""

import re
from dataclasses import dataclass

from emulator.soql.errors import unexpected

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<text>'(?:[^'\\]|\\.)*')"
    r"|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<op><=|>=|!=|<>|[=<>(),.:])",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {
    "n": "\n",
    "N": "\n",
    "r": "\r",
    "R": "\r",
    "t": "\t",
    "T": "\t",
    "b": "\b",
    "B": "\b",
    "f": "\f",
    "F": "\f",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token, where it begins, and what it says."""

    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        """The keyword that this token could be."""
        return self.text.upper() if self.kind == "name" else self.text if self.kind == "op" else ""


def tokenize(text: str) -> list[Token]:
    """All tokens and an end; raises SoqlError."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise unexpected(text, position, text[position])
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, found.group(), position))
        position = found.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


def unquoted(literal: str) -> str:
    """The text of a quoted literal."""
    return _ESCAPE.sub(lambda found: _one(found.group(1)), literal[1:-1])


def _one(code: str) -> str:
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPED.get(code, code)
