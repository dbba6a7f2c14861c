"""A client of the control API, and a way to run the emulator as a child process."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class EmulatorControl:
    """What tests and the demo ask of a running emulator."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def create_org(self, **options: Any) -> dict[str, Any]:
        """A new org; answers its id and its users with their passwords."""
        made: dict[str, Any] = self._call("POST", "orgs", options)
        return made

    def orgs(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._call("GET", "orgs")
        return listed

    def seed(self, org_id: str, **plan: int) -> None:
        self._call("POST", f"orgs/{org_id}/seed", plan)

    def create(self, org_id: str, sobject: str, **values: Any) -> str:
        """Act as a Salesforce user: a new record."""
        return str(self._call("POST", f"orgs/{org_id}/create", {"sobject": sobject, "values": values})["id"])

    def update(self, org_id: str, sobject: str, record_id: str, **values: Any) -> None:
        self._call("POST", f"orgs/{org_id}/update", {"sobject": sobject, "id": record_id, "values": values})

    def delete(self, org_id: str, sobject: str, record_id: str) -> None:
        self._call("POST", f"orgs/{org_id}/delete", {"sobject": sobject, "id": record_id})

    def convert(self, org_id: str, lead_id: str, contact_id: str) -> None:
        self._call("POST", f"orgs/{org_id}/convert", {"lead": lead_id, "contact": contact_id})

    def query(self, org_id: str, soql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._call("POST", f"orgs/{org_id}/query", {"soql": soql})
        return rows

    def grant(self, org_id: str) -> dict[str, Any]:
        """Tokens as a consent of the org's first user would bring them."""
        answer: dict[str, Any] = self._call("POST", f"orgs/{org_id}/grant", {})
        return answer

    def hide(self, org_id: str, *fields: str) -> None:
        """Hide fields ("Lead.Email") from the API user's describe."""
        self._call("POST", f"orgs/{org_id}/hide", {"fields": list(fields)})

    def calls(self) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = self._call("GET", "calls")
        return made

    def clear_calls(self) -> None:
        self._call("DELETE", "calls")

    def fault(self, path: str, **what: Any) -> None:
        """Script a fault for calls whose path matches: ``nth``, ``times``, ``status``, ``body``, ``drop``, …"""
        self._call("POST", "faults", {"path": path, **what})

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def expire_tokens(self, *, revoke: bool = False) -> None:
        self._call("POST", "tokens", {"expire": True, "revoke": revoke})

    def _call(self, method: str, path: str, data: Any = None) -> Any:
        body = json.dumps(data).encode() if data is not None else None
        request = urllib.request.Request(f"{self.base_url}/_control/{path}", body, method=method)  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
            return json.loads(answer.read())


@contextmanager
def running_emulator(folder: Path, port: int = 0) -> Iterator[EmulatorControl]:
    """An emulator in a child process, gone at the end of the block."""
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "emulator", "--port", str(port), "--data", str(folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        assert child.stdout is not None
        try:
            line = child.stdout.readline()
            yield EmulatorControl(line.split()[1])
        finally:
            child.terminate()
            child.wait(10)
