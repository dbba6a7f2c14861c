"""Refusals, in the shapes in which Salesforce words them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One element of an error answer. ``fields`` None leaves the key out of REST answers (recorded/errors)."""

    code: str
    message: str
    fields: tuple[str, ...] | None = None
    duplicates: dict[str, Any] | None = None
    code_first: bool = False

    def rest(self) -> dict[str, Any]:
        """As a REST error shows it; NOT_FOUND and job errors have the code in front."""
        if self.duplicates is not None:
            return {"duplicateResut": self.duplicates, "errorCode": self.code, "message": self.message}
        if self.code_first:
            return {"errorCode": self.code, "message": self.message}
        shown: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            shown["fields"] = list(self.fields)
        return shown

    def row(self) -> dict[str, Any]:
        """As a collections answer shows it (recorded/collections)."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}


class Refused(Exception):
    """A call or a row that Salesforce would refuse."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__(problems[0].message if problems else "")
        self.status, self.problems = status, problems


class OAuthRefused(Exception):
    """An OAuth error: code and description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


def refused(code: str, message: str, *fields: str, status: int = 400) -> Refused:
    """A refusal of a row, with the key ``fields``."""
    return Refused(status, Problem(code, message, fields))


def bare(code: str, message: str, status: int = 400) -> Refused:
    """A refusal without the key ``fields``."""
    return Refused(status, Problem(code, message))


def not_found(message: str = "The requested resource does not exist") -> Refused:
    """errors/NOT_FOUND-deleted-record-404.json"""
    return Refused(404, Problem("NOT_FOUND", message, code_first=True))


def job_refused(code: str, message: str, status: int = 400) -> Refused:
    """Errors of Bulk 2.0 have the code in front (bulk2/doc-query-abort-400.json)."""
    return Refused(status, Problem(code, message, code_first=True))


@dataclass(slots=True)
class Outcome:
    """What became of one row of a collection or of a Bulk job."""

    id: str | None = None
    problems: tuple[Problem, ...] = field(default=())
    created: bool = False

    @property
    def succeeded(self) -> bool:
        return not self.problems

    def row(self) -> dict[str, Any]:
        """As composite/sobjects answers."""
        if self.problems:
            return {"success": False, "errors": [problem.row() for problem in self.problems]}
        return {"id": self.id, "success": True, "errors": []}
