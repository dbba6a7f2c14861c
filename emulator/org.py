"""One org: its identity, switches, clock, users and rows."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emulator.ids import base62, full_id
from emulator.schema import Schema, SObject, build_schema
from emulator.store import Store
from emulator.values import moment_text, parse_moment

DEFAULT_OPTIONS: dict[str, Any] = {
    "edition": "Developer Edition",
    "password": "sync-me-please",
    "api_enabled": True,
    "api_limit": 100_000,
    "campaigns": True,
    "person_accounts": False,
    "package_fields": True,
    "hide_opt_out": False,
    "clock_shift": 0,
    "custom_objects": [],
    "custom_fields": [],
    "hidden": [],
    "read_only": [],
    "triggers": [],
    "validation_rules": [],
    "duplicate_rules": [],
    "upsert_meets_deleted": False,
    "concurrent_limit": 1000,
    "slow_beyond": None,
    "maintenance": "",
    "field_changes": {},
    "clock_at": None,
    "assignment_owner": "",
    "ungranted": [],
    "deploy_errors": [],
    "forbid_deploy": False,
    "security_token": "",
    "soap_error": "",
    "password_expired": False,
    "list_views": {},
}
_OPT_OUT = tuple(f"{o}.{f}" for o in ("Lead", "Contact")
                 for f in ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall"))  # fmt: skip
_SCHEMA_OPTIONS = frozenset(
    {"custom_objects", "custom_fields", "campaigns", "person_accounts", "package_fields", "field_changes"}
)


@dataclass(slots=True)
class Lock:
    """Rows whose writes are refused, for some times."""

    code: str
    message: str
    times: int


@dataclass(slots=True)
class Fate:
    """What becomes of the next Bulk jobs: ``stall``, ``fail`` or ``abort``; an ingest job fails after some rows."""

    kind: str
    what: str
    times: int
    after_rows: int = 0


@dataclass
class Org:
    """What one customer of Salesforce has."""

    number: int
    options: dict[str, Any]
    store: Store
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    api_used: int = 0
    calls_now: int = 0
    locks: dict[str, Lock] = field(default_factory=dict)
    fates: list[Fate] = field(default_factory=list)
    deployments: dict[str, Any] = field(default_factory=dict)
    soap_failures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pod = base62(350 + self.number, 2)
        self.id = full_id("00D", self.pod, 1)
        self._lock = threading.Lock()
        self.schema = Schema({})
        self.visible = self.schema
        self.rebuild()

    @property
    def name(self) -> str:
        return str(self.options.get("name") or f"Org {self.number}")

    @property
    def edition(self) -> str:
        return str(self.options["edition"])

    @property
    def api_limit(self) -> int:
        return int(self.options["api_limit"])

    def now(self) -> datetime:
        """The org's clock, to the second: the real one moved by ``clock_shift``, or one that stands."""
        stopped = parse_moment(self.options["clock_at"] or "")
        moment = (stopped or datetime.now(UTC)) + timedelta(seconds=float(self.options["clock_shift"]))
        return moment.replace(microsecond=0)

    def stamp(self) -> str:
        """The org's clock as it is stored."""
        return moment_text(self.now())

    def change(self, options: dict[str, Any]) -> None:
        """Flip switches."""
        self.options |= copy.deepcopy(options)
        self.rebuild(with_schema=bool(_SCHEMA_OPTIONS & options.keys()))

    def rebuild(self, *, with_schema: bool = True) -> None:
        """Read the switches."""
        if with_schema:
            self.schema = build_schema(self.options)
            self.store.ensure(self.schema)
        ungranted = frozenset(self.options["ungranted"])
        hidden = (
            frozenset(self.options["hidden"]) | ungranted | frozenset(_OPT_OUT if self.options["hide_opt_out"] else ())
        )
        self.visible = self.schema.without(hidden).protected(frozenset(self.options["read_only"]))

    def make_id(self, prefix: str, number: int) -> str:
        """An id of this org."""
        return full_id(prefix, self.pod, number)

    def next_id(self, sobject: SObject) -> str:
        """The next id of an object; inside a transaction."""
        return self.make_id(sobject.prefix, self.store.next_number(sobject.prefix))

    def count_call(self) -> None:
        """One more API call of today."""
        with self._lock:
            self.api_used += 1

    @contextmanager
    def in_flight(self) -> Iterator[int]:
        """One more call that is being answered; how many there are at this moment."""
        with self._lock:
            self.calls_now += 1
            now = self.calls_now
        try:
            yield now
        finally:
            with self._lock:
                self.calls_now -= 1

    def object_of(self, record_id: str) -> SObject | None:
        """The object of an id of this org."""
        return self.schema.of_id(record_id) if record_id[3:5] == self.pod else None

    def user_by_id(self, user_id: str) -> dict[str, Any] | None:
        """The row of a user."""
        return self.store.row("User", user_id)

    def take_lock(self, record_id: str) -> Lock | None:
        """The lock that a write of this row meets, once less for the next."""
        with self._lock:
            lock = self.locks.get(record_id)
            if lock is None:
                return None
            lock.times -= 1
            if lock.times <= 0:
                del self.locks[record_id]
            return lock

    def take_fate(self, kind: str) -> Fate | None:
        """What becomes of a new job of this kind (``query``, ``ingest``), once less for the next."""
        with self._lock:
            fate = next((fate for fate in self.fates if fate.kind == kind and fate.times > 0), None)
            if fate is not None:
                fate.times -= 1
            return fate


def copied_org(number: int, options: dict[str, Any], content: bytes) -> Org:
    """An org in memory whose rows are a copy."""
    store = Store(None)
    store.take(content)
    return Org(number, {**copy.deepcopy(DEFAULT_OPTIONS), **copy.deepcopy(options)}, store)


def open_org(number: int, path: Path | None, options: dict[str, Any]) -> Org:
    """An org whose rows lie at ``path`` (None: in memory); they are made if they are not there."""
    return Org(number, {**copy.deepcopy(DEFAULT_OPTIONS), **copy.deepcopy(options)}, Store(path))
