"""Random requests, made of the OpenAPI document, against the application in this process: with a key and without."""

import copy
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as openapi
from schemathesis.transport.wsgi import WSGI_TRANSPORT

ANSWER_CHECKS: Any = [
    schemathesis.checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
]
REFUSALS_WITHOUT_KEY = {401, 404}
AnyCase = Case[Any]
TOO_LARGE = 413
"""A refusal that the check of broken requests does not know."""
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass
class Tally:
    """What the requests were answered, and what was wrong with the answers."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Tally") -> "Tally":
        self.cases += other.cases
        self.statuses += other.statuses
        self.complaints += other.complaints
        return self


@dataclass(frozen=True)
class Fuzzer:
    """Who asks (``secret`` "" is nobody), about which records, and what must never be answered."""

    application: Any
    document: Mapping[str, Any]
    secret: str
    ids: Mapping[str, int]
    never: tuple[str, ...]

    def operations(self) -> dict[str, Any]:
        """The operations of the document, by method and path."""
        schema = schemathesis.openapi.from_dict(_without_keys(self.document))
        found: list[Any] = [one.ok() for one in schema.get_all_operations()]  # type: ignore[union-attr]  # it is valid
        return {one.label: one for one in found}

    def play(self, operation: Any, examples: int, start: int) -> Tally:
        """So many requests of one operation: good ones and broken ones by turns."""
        tally = Tally()
        for mode in MODES:
            try:
                self._play(operation, mode, examples // 2, start, tally)
            except (Unsatisfiable, NotImplementedError):
                continue
        return tally

    def _play(self, operation: Any, mode: GenerationMode, examples: int, start: int, tally: Tally) -> None:
        limits = settings(
            max_examples=max(1, examples),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

        @seed(start)
        @limits
        @given(case=operation.as_strategy(generation_mode=mode), draw=st.integers(0, 2**32))
        def ask(case: AnyCase, draw: int) -> None:
            self._ask(case, mode, random.Random(draw), tally)

        ask()

    def _ask(self, case: AnyCase, mode: GenerationMode, chance: random.Random, tally: Tally) -> None:
        if mode is GenerationMode.POSITIVE and chance.random() < 0.7:
            self._name_records(case)
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        response = WSGI_TRANSPORT.send(case, headers=headers, app=self.application)
        tally.cases += 1
        tally.statuses[response.status_code] += 1
        checks = ANSWER_CHECKS
        if mode is GenerationMode.NEGATIVE and self.secret and response.status_code != TOO_LARGE:
            checks = [*checks, openapi.negative_data_rejection]
        try:
            case.validate_response(response, checks=checks)
        except FailureGroup as failures:
            tally.complaints += [_told(case, response, one) for one in failures.exceptions]
        if not self.secret and response.status_code not in REFUSALS_WITHOUT_KEY:
            tally.complaints.append(f"{case.operation.label}: {response.status_code} without a key")
        if any(secret in response.text for secret in self.never):
            tally.complaints.append(f"{case.operation.label} shows another account's data")

    def _name_records(self, case: AnyCase) -> None:
        """Point a request at records that there are, which drawn ids never hit."""
        for name in case.path_parameters or {}:
            case.path_parameters[name] = self.ids[name]
        if isinstance(case.body, dict) and "person_ids" in case.body:
            case.body["person_ids"] = [self.ids["person_id"]]


def _without_keys(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its scheme of keys, which would be broken like any other part of a request."""
    bare: dict[str, Any] = copy.deepcopy(dict(document))
    bare["components"].pop("securitySchemes")
    for item in bare["paths"].values():
        for operation in item.values():
            operation.pop("security")
    return bare


def _told(case: AnyCase, response: Any, failure: BaseException) -> str:
    asked = f"{str(case.body)[:300]} {case.query} {case.path_parameters} {case.headers}"
    return f"{case.operation.label} → {response.status_code}: {str(failure)[:600]}\n  {asked}"
