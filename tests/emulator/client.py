"""A client that shows each answer as it is, and a comparison with recorded ones."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emulator.control import EmulatorControl
from emulator.local import LocalEmulator

VERSION = "v66.0"


@dataclass(frozen=True)
class Told:
    """An answer: status, headers by lower-case name, and the body as data or text."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None

    @property
    def code(self) -> str:
        """The first error's code."""
        first = self.body[0] if isinstance(self.body, list) else self.body
        return str(first.get("errorCode") or first.get("error"))

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of a CSV answer."""
        return list(csv.DictReader(io.StringIO(self.text, newline="")))


@dataclass
class Client:
    """One API user of one org."""

    local: LocalEmulator
    org_id: str
    token: str
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def control(self) -> EmulatorControl:
        return self.local.control

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Told:
        """One call; ``path`` may begin behind the version, and bytes or text go as they are."""
        target = path if path.startswith("/") else f"/services/data/{VERSION}/{path}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", **self.extra}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.local.send(method, target, sent, content)
        shown = {name.lower(): value for name, value in answer.headers.items()}
        return Told(answer.status, shown, answer.body.decode())

    def get(self, path: str, **headers: str) -> Told:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Told:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Told:
        return self.call("PATCH", path, body, **headers)

    def form(self, path: str, fields: dict[str, str]) -> Told:
        """A form without a token, as OAuth wants it."""
        body = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode()
        answer = self.local.send("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, body)
        return Told(answer.status, {name.lower(): v for name, v in answer.headers.items()}, answer.body.decode())

    def query(self, soql: str, *, everything: bool = False, **headers: str) -> Told:
        return self.get(f"{'queryAll' if everything else 'query'}?q={quote(soql)}", **headers)

    def rows(self, soql: str, *, everything: bool = False) -> list[dict[str, Any]]:
        """All rows of the first page, without their attributes."""
        answer = self.query(soql, everything=everything)
        assert answer.status == 200, answer.text
        return [{name: value for name, value in row.items() if name != "attributes"} for row in answer.body["records"]]

    def lead(self, **values: Any) -> str:
        """A lead made by a person in Salesforce."""
        return self.control.create(self.org_id, "Lead", **{"LastName": "Lead", "Company": "Acme"} | values)


def recorded(truth: Path, name: str) -> Any:
    """The body that a real org answered."""
    return json.loads((truth / "recorded" / name).read_text(encoding="utf-8"))["response"]["body"]


def differences(real: Any, ours: Any, at: str = "") -> list[str]:
    """Where the shape of our answer is not that of the real one: keys, their order, and kinds of values."""
    if isinstance(real, dict) and isinstance(ours, dict):
        found = [] if list(real) == list(ours) else [f"{at}: keys {list(real)} became {list(ours)}"]
        return found + [line for key in real.keys() & ours.keys() for line in differences(real[key], ours[key], key)]
    if isinstance(real, list) and isinstance(ours, list):
        return differences(real[0], ours[0], f"{at}[0]") if real and ours else []
    if real is None or ours is None or type(real) is type(ours) or {type(real), type(ours)} == {int, float}:
        return []
    return [f"{at}: {type(real).__name__} became {type(ours).__name__}"]
