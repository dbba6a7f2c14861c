"""The demo's side of the emulator's control API."""

import json
import urllib.request
from typing import Any

_TIMEOUT = 300


class EmulatedOrgs:
    """Orgs of a running Salesforce stand-in."""

    def __init__(self, base_url: str) -> None:
        if not base_url.startswith("http://127.0.0.1:"):
            raise ValueError("The stand-in runs on this machine only.")
        self._base = base_url

    def find(self, name: str) -> dict[str, Any] | None:
        """The org of this name with its users, if there is one."""
        found: dict[str, Any] | None = next((org for org in self._call("orgs") if org["name"] == name), None)
        return found

    def create(self, name: str, username: str, password: str, **plan: int) -> dict[str, Any]:
        """A new org, filled by plan."""
        org: dict[str, Any] = self._call("orgs", {"name": name, "username": username, "password": password})
        self._call(f"orgs/{org['id']}/seed", plan)
        return org

    def leads(self, org_id: str, count: int) -> list[dict[str, Any]]:
        """Some leads of the org who can be written to."""
        soql = f"SELECT Id, Email FROM Lead WHERE Email LIKE '%@%' AND IsConverted = false ORDER BY Id LIMIT {count}"
        rows: list[dict[str, Any]] = self._call(f"orgs/{org_id}/query", {"soql": soql, "include_deleted": False})
        return rows

    def grant(self, org_id: str) -> dict[str, Any]:
        """Tokens as a consent brings them."""
        answer: dict[str, Any] = self._call(f"orgs/{org_id}/grant", {})
        return answer

    def _call(self, path: str, data: dict[str, Any] | None = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"{self._base}/_control/{path}", body)  # noqa: S310  # checked: loopback
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            return json.loads(answer.read())
