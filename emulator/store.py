"""Orgs and their rows, one SQLite database each."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emulator.schema import SOBJECTS
from emulator.soql import parse

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def full_id(prefix: str, number: int) -> str:
    """The 18-character id number ``number`` of an object."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    base = f"{prefix}5e{digits.rjust(10, '0')}"
    suffix = ""
    for start in (0, 5, 10):
        suffix += _CHECK[sum(1 << i for i, c in enumerate(base[start : start + 5]) if "A" <= c <= "Z")]
    return base + suffix


def id_number(record_id: str) -> int:
    """The number that ``full_id`` made an id from."""
    number = 0
    for digit in record_id[5:15]:
        number = number * 62 + _DIGITS.index(digit)
    return number


class RuleBroken(Exception):
    """A write that Salesforce would refuse: code, text, fields."""

    def __init__(self, code: str, message: str, fields: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.fields = code, message, list(fields)


class Org:
    """One org: its database, clock, users and switches."""

    def __init__(self, path: Path, number: int, name: str, edition: str = "Developer Edition") -> None:
        self.id = full_id("00D", number)
        self.name, self.edition = name, edition
        self.path = path
        self.users: dict[str, dict[str, str]] = {}
        self.hidden: frozenset[str] = frozenset()
        self.api_used, self.api_limit = 0, 100_000
        self.shift = timedelta()
        self._numbers: dict[str, int] = {}
        self._local = threading.local()
        self.lock = threading.RLock()
        if path.exists():
            self._count_ids()
            return
        for sobject in SOBJECTS.values():
            columns = ", ".join(f'"{name}" TEXT' for name in sobject.fields)
            self.database.execute(f'CREATE TABLE "{sobject.name}" ({columns}, PRIMARY KEY ("Id")) WITHOUT ROWID')
        self.database.commit()

    def _count_ids(self) -> None:
        """Go on numbering where an earlier process stopped."""
        for sobject in SOBJECTS.values():
            largest = self.database.execute(f'SELECT max("Id") FROM "{sobject.name}"').fetchone()[0]
            if largest:
                self._numbers[sobject.name] = id_number(largest)

    @property
    def database(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self.path, timeout=30)
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA case_sensitive_like=OFF;")
            self._local.connection = connection
        result: sqlite3.Connection = self._local.connection
        return result

    def now(self) -> str:
        """The org's clock."""
        moment = datetime.now(UTC) + self.shift
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def next_id(self, sobject: str) -> str:
        with self.lock:
            self._numbers[sobject] = self._numbers.get(sobject, 0) + 1
            return full_id(SOBJECTS[sobject].prefix, self._numbers[sobject])

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self.lock:
            yield self.database
            self.database.commit()

    def add_user(self, name: str, username: str, password: str, *, profile: str) -> str:
        """A user who can log in."""
        record = {
            "Username": username,
            "Name": name,
            "Email": username,
            "IsActive": True,
            "UserType": "Standard",
            "ProfileId": profile,
            "UserPermissionsMarketingUser": True,
        }
        user_id = self.create("User", record)
        self.users[username] = {"id": user_id, "password": password, "name": name}
        return user_id

    def load(self, sobject: str, rows: Iterable[tuple[Any, ...]], columns: list[str]) -> None:
        """Put ready-made rows in."""
        listed = ", ".join(f'"{c}"' for c in columns)
        with self.writing() as database:
            database.executemany(f'INSERT INTO "{sobject}" ({listed}) VALUES ({", ".join("?" * len(columns))})', rows)

    def create(self, sobject: str, values: dict[str, Any], user: str = "") -> str:
        """A new row, under the data rules."""
        known = SOBJECTS[sobject]
        stored = self._checked(sobject, values)
        missing = [f.name for f in known.fields.values() if f.required and f.name != "Id" and not stored.get(f.name)]
        if missing:
            raise RuleBroken("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
        now, new_id = self.now(), self.next_id(sobject)
        row = {name: ("false" if f.type == "boolean" else None) for name, f in known.fields.items()}
        row |= stored | {"Id": new_id, "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
        if "Name" in row and "LastName" in row:
            row["Name"] = " ".join(filter(None, (row["FirstName"], row["LastName"])))
        self.load(sobject, [tuple(row.values())], list(row))
        return new_id

    def update(self, sobject: str, record_id: str, values: dict[str, Any]) -> None:
        """Change a row, under the data rules."""
        current = self.row(sobject, record_id)
        if current is None or current["IsDeleted"] == "true":
            raise RuleBroken("ENTITY_IS_DELETED", "entity is deleted")
        if current.get("IsConverted") == "true":
            raise RuleBroken("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        stored = self._checked(sobject, values)
        now = self.now()
        stored |= {"LastModifiedDate": now, "SystemModstamp": now}
        self._set(sobject, record_id, stored)

    def delete(self, sobject: str, record_id: str) -> None:
        """Put a row into the recycle bin."""
        self._set(sobject, record_id, {"IsDeleted": "true", "SystemModstamp": self.now()})

    def convert(self, lead_id: str, contact_id: str) -> None:
        """Convert a lead to a contact that is there."""
        now = self.now()
        facts = {"IsConverted": "true", "Status": "Closed - Converted", "ConvertedContactId": contact_id}
        self._set("Lead", lead_id, facts | {"ConvertedDate": now[:10], "SystemModstamp": now})

    def row(self, sobject: str, record_id: str) -> dict[str, Any] | None:
        found = self.database.execute(f'SELECT * FROM "{sobject}" WHERE "Id" = ?', [record_id]).fetchone()
        return dict(zip(SOBJECTS[sobject].fields, found, strict=True)) if found else None

    def _set(self, sobject: str, record_id: str, values: dict[str, Any]) -> None:
        listed = ", ".join(f'"{name}" = ?' for name in values)
        with self.writing() as database:
            database.execute(f'UPDATE "{sobject}" SET {listed} WHERE "Id" = ?', [*values.values(), record_id])

    def _checked(self, sobject: str, values: dict[str, Any]) -> dict[str, Any]:
        stored: dict[str, Any] = {}
        for name, value in values.items():
            known = SOBJECTS[sobject].fields.get(name)
            if known is None:
                raise RuleBroken("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")
            if known.read_only:
                raise RuleBroken(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {name}. Please check the security settings of this field and "
                    "verify that it is read/write for your profile or permission set.",
                    [name],
                )
            stored[name] = self._value(known.label, known.name, known.type, known.length, value)
        return stored

    def _value(self, label: str, name: str, kind: str, length: int, value: Any) -> str | None:
        if kind == "boolean":
            return "true" if value in (True, "true") else "false"
        text = "" if value is None else str(value).strip()
        if not text:
            return None
        if kind == "email" and ("@" not in text or " " in text):
            raise RuleBroken("INVALID_EMAIL_ADDRESS", f"{label}: invalid email address: {text}", [name])
        if length and kind in {"string", "textarea", "phone", "url", "email"} and len(text) > length:
            raise RuleBroken(
                "STRING_TOO_LONG", f"{label}: data value too large: {text[:60]} (max length={length})", [name]
            )
        return text

    def select(self, soql: str, *, include_deleted: bool) -> tuple[list[str], list[tuple[Any, ...]], int]:
        """Fields, rows and total of a query."""
        query = parse(soql)
        tail = query.from_clause(include_deleted)
        if query.is_count:
            total = self.database.execute("SELECT count(*)" + tail, query.parameters).fetchone()[0]
            return [], [], int(total)
        text = f"SELECT {', '.join(query.columns)}{tail}"
        text += f" ORDER BY {query.order}" if query.order else ' ORDER BY t."Id"'
        if query.limit is not None:
            text += f" LIMIT {query.limit}"
        rows = self.database.execute(text, query.parameters).fetchall()
        return query.fields, rows, len(rows)

    def render(self, soql: str, *, include_deleted: bool, write: Callable[[bytes], Any]) -> Iterator[int]:
        """CSV lines of a query, made inside SQLite; yields the number of bytes of each 10,000 rows written."""
        query = parse(soql)
        cells = " || ',' || ".join(
            f"""'"' || replace(coalesce({column}, ''), '"', '""') || '"'""" for column in query.columns
        )
        text = f"SELECT {cells}{query.from_clause(include_deleted)}"
        text += f" ORDER BY {query.order}" if query.order else ' ORDER BY t."Id"'
        if query.limit is not None:
            text += f" LIMIT {query.limit}"
        cursor = self.database.execute(text, query.parameters)
        while batch := cursor.fetchmany(10_000):
            data = ("\n".join(line for (line,) in batch) + "\n").encode()
            write(data)
            yield len(batch)
