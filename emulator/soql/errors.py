"""Refused queries, with Salesforce's caret under the place (recorded/errors, soql/invalid.json)."""

_AROUND = 30


class SoqlError(Exception):
    """A refused query: code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def at(code: str, text: str, position: int, message: str) -> SoqlError:
    """An error with the words around its place, a caret, and row and column counted from 1."""
    line_start = text.rfind("\n", 0, position) + 1
    row = text.count("\n", 0, position) + 1
    flat = text.replace("\r", " ").replace("\n", " ")
    start = max(0, position - _AROUND)
    while start > 0 and flat[start - 1] not in " ,":
        start -= 1
    end = min(len(flat), position + _AROUND)
    while end < len(flat) and flat[end] not in " ,":
        end += 1
    caret = " " * (position - start) + "^"
    place = f"ERROR at Row:{row}:Column:{position - line_start + 1}"
    return SoqlError(code, f"\n{flat[start:end]}\n{caret}\n{place}\n{message}")


def unexpected(text: str, position: int, token: str) -> SoqlError:
    """A token that does not belong there; Salesforce's column is one to the left of it."""
    shown = f"unexpected token: '{token}'" if token else "unexpected token: '<EOF>'"
    return at("MALFORMED_QUERY", text, max(0, position - 1), shown)
