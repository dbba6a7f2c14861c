"""One HTTP call and its answer, apart from sockets."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from emulator.errors import OAuthRefused, Problem, Refused, bare
from emulator.org import Org
from emulator.records import Several
from emulator.rules import Author, problem_of
from emulator.soql.compiler import View
from emulator.soql.errors import SoqlError
from emulator.soql.run import view_of
from emulator.values import Unparsable
from emulator.world import World

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"


@dataclass(slots=True)
class FilePart:
    """A stretch of a file, sent after ``prefix``."""

    prefix: bytes
    path: Path
    start: int
    end: int


@dataclass(slots=True)
class Response:
    """What goes back: JSON, bytes, or a stretch of a file."""

    status: int = 200
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = JSON
    body: bytes | None = None
    file: FilePart | None = None

    def content(self) -> bytes:
        """The bytes to send (those in front of the file, if there is one), made once."""
        if self.file is not None:
            return self.file.prefix
        if self.body is None:
            self.body = (
                b"" if self._is_empty else json.dumps(self.payload, ensure_ascii=False, separators=(",", ":")).encode()
            )
        return self.body

    def whole(self) -> bytes:
        """All its bytes."""
        if self.file is None:
            return self.content()
        with self.file.path.open("rb") as source:
            source.seek(self.file.start)
            return self.file.prefix + source.read(self.file.end - self.file.start)

    @property
    def _is_empty(self) -> bool:
        return self.status in {204, 304} or (self.payload is None and not self.kind.startswith("application/json"))

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.content()) + (self.file.end - self.file.start if self.file else 0)


@dataclass(slots=True)
class Call:
    """What came in, and who sent it once that is known."""

    world: World
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    base: str = ""
    version: str = "66.0"
    found_org: Org | None = None
    username: str = ""
    user_id: str = ""
    scope: str = ""

    @classmethod
    def arriving(
        cls, world: World, method: str, target: str, headers: dict[str, str], body: bytes, base: str
    ) -> "tuple[Call, str]":
        """A call as it comes in, and the text of its query; names of headers are in lower case."""
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return cls(world, method, unquote(parts.path), query, headers, body, base), parts.query

    @property
    def org(self) -> Org:
        """The org of the token; set by authentication."""
        assert self.found_org is not None
        return self.found_org

    @property
    def author(self) -> Author:
        """The API user, with the switches of the headers."""
        options = self.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        assigns = self.headers.get("sforce-auto-assign", "")
        return Author(self.user_id, allows_duplicates="allowsave=true" in options, assigns=assigns)

    def view(self, *, include_deleted: bool = False) -> View:
        return view_of(self.org, self.org.visible, user_id=self.user_id, include_deleted=include_deleted)

    def data(self) -> Any:
        """The JSON body; raises Refused."""
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise bare("JSON_PARSER_ERROR", f"{error} at [line:1, column:1]") from None

    def fields(self) -> dict[str, Any]:
        """The JSON body where it must be an object."""
        found = self.data()
        if not isinstance(found, dict):
            raise bare("JSON_PARSER_ERROR", "The HTTP entity body is required to be an object at [line:1, column:1]")
        return found

    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return {key: values[0] for key, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def within(self, method: str, path: str, query: dict[str, str], body: Any, headers: dict[str, str]) -> "Call":
        """A subrequest of the same user."""
        content = b"" if body is None else json.dumps(body).encode()
        merged = {**self.headers, **{key.lower(): value for key, value in headers.items()}}
        return Call(
            self.world, method, path, query, merged, content, self.base, self.version, self.found_org, self.username,
            self.user_id, self.scope,
        )  # fmt: skip


KNOWN_ERRORS = (Refused, Unparsable, SoqlError, Several, OAuthRefused)


def problems(error: Exception) -> tuple[int, tuple[Problem, ...]]:
    """Status and elements of an error answer."""
    if isinstance(error, Refused):
        return error.status, error.problems
    if isinstance(error, Unparsable):
        return 400, (problem_of(error, whole_request=True),)
    if isinstance(error, SoqlError):
        return 400, (Problem(error.code, error.message),)
    raise error


def refusal(call: Call, error: Exception) -> Response:
    """The answer to a refused call."""
    if isinstance(error, OAuthRefused):
        return Response(400, {"error": error.error, "error_description": error.description})
    if isinstance(error, Several):
        base = f"/services/data/v{call.version}/sobjects/{error.sobject}"
        return Response(300, [f"{base}/{one}" for one in error.ids])
    status, found = problems(error)
    headers = {"WWW-Authenticate": "Token"} if status == 401 else {}
    return Response(status, [problem.rest() for problem in found], headers)
