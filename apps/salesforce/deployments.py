"""Deployments by the REST resource of the Metadata API (Metadata API Developer Guide, "deployRequest")."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.domain.failures import Category, Internal
from apps.salesforce.session import SalesforceSession, whole_answer

_ENDED = frozenset({"Succeeded", "SucceededPartial", "Failed", "Canceled"})


@dataclass(frozen=True, slots=True)
class ComponentFailure:
    """One component that was refused, or one test that failed."""

    name: str
    kind: str
    problem: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as Salesforce last told. ``message`` is why it failed as a whole."""

    id: str
    status: str
    done: int = 0
    total: int = 0
    message: str = ""
    failures: tuple[ComponentFailure, ...] = ()

    @property
    def has_ended(self) -> bool:
        return self.status in _ENDED

    @property
    def is_success(self) -> bool:
        return self.status == "Succeeded"


class Deployments:
    """The deployments of one org."""

    def __init__(self, session: SalesforceSession, data_url: str) -> None:
        self._session = session
        self._url = f"{data_url}/metadata/deployRequest"

    def create(self, content: bytes, *, tests: Sequence[str] = ()) -> str:
        """Begin; answers the id. Everything or nothing is deployed. The tests that are named run, and no others:
        those of the org are its own concern."""
        options: dict[str, Any] = {
            "checkOnly": False,
            "ignoreWarnings": True,
            "rollbackOnError": True,
            "singlePackage": True,
            "testLevel": "RunSpecifiedTests" if tests else "NoTestRun",
        }
        if tests:
            options["runTests"] = list(tests)
        parts: dict[str, tuple[str | None, str | bytes, str]] = {
            "json": (None, json.dumps({"deployOptions": options}), "application/json"),
            "file": ("package.zip", content, "application/zip"),
        }
        with whole_answer():
            answer: dict[str, Any] = self._session.post(self._url, files=parts).json()
        deploy_id = str(answer.get("id") or (answer.get("deployResult") or {}).get("id") or "")
        if not deploy_id.isalnum():
            raise Internal(Category.INTERNAL, "Salesforce's answer to a deployment names no id.")
        return deploy_id

    def look(self, deploy_id: str) -> Deployment:
        """How far it is."""
        with whole_answer():
            answer = self._session.get(f"{self._url}/{_checked(deploy_id)}", params={"includeDetails": "true"}).json()
        return _read(deploy_id, answer.get("deployResult") or {})

    def cancel(self, deploy_id: str) -> None:
        """Ask it to stop; one that has ended is left as it is."""
        wish = json.dumps({"deployResult": {"status": "Canceling"}})
        headers = {"Content-Type": "application/json"}
        self._session.patch(f"{self._url}/{_checked(deploy_id)}", data=wish, headers=headers)


def _checked(deploy_id: str) -> str:
    if not deploy_id.isalnum():
        raise Internal(Category.INTERNAL, "That is no id of a deployment.")
    return deploy_id


def _read(deploy_id: str, told: dict[str, Any]) -> Deployment:
    details = told.get("details") or {}
    failures = [
        ComponentFailure(
            str(one.get("fullName") or one.get("fileName") or ""),
            str(one.get("componentType") or ""),
            str(one.get("problem") or ""),
        )
        for one in _listed(details.get("componentFailures"))
    ]
    tests = (details.get("runTestResult") or {}).get("failures")
    failures += [
        ComponentFailure(f"{one.get('name')}.{one.get('methodName')}", "Apex test", str(one.get("message") or ""))
        for one in _listed(tests)
    ]
    return Deployment(
        id=deploy_id,
        status=str(told.get("status") or "Pending"),
        done=int(told.get("numberComponentsDeployed") or 0),
        total=int(told.get("numberComponentsTotal") or 0),
        message=str(told.get("errorMessage") or ""),
        failures=tuple(failures),
    )


def _listed(raw: Any) -> list[dict[str, Any]]:
    """A list, or the one element that Salesforce sends without one."""
    found = raw if isinstance(raw, list) else [raw]
    return [one for one in found if isinstance(one, dict)]
