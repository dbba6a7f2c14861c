"""Rows of one org: a SQLite database with one table per sObject and one column per field."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.schema import Field, Schema, SObject

_INDEXED = frozenset({"SystemModstamp", "Email", "AccountId", "CampaignId", "LeadId", "ContactId", "OpportunityId",
                      "WhoId", "WhatId", "Name", "MasterRecordId", "Username"})  # fmt: skip
_SETTINGS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;"


def column(name: str) -> str:
    """A quoted column or table name; names come from the schema only."""
    return '"' + name.replace('"', "") + '"'


def _declared(field: Field) -> str:
    if field.is_number:
        return "REAL"
    if field.type in {"int", "long"}:
        return "INTEGER"
    if field.type in {"id", "reference", "boolean", "date", "datetime", "time"}:
        return "TEXT"
    return "TEXT COLLATE NOCASE"


class Store:
    """The database of one org. Reads see what is committed; writes go one after another.

    Without a path the rows are in memory, and the one connection serves all threads: whoever keeps it lets one call in
    at a time.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._local = threading.local()
        self._lock = threading.RLock()
        self._writer = self._open()
        self._depth = 0
        self._writing_thread = 0
        self._writer.execute("CREATE TABLE IF NOT EXISTS _numbers (prefix TEXT PRIMARY KEY, last INTEGER)")
        self._writer.execute("CREATE TABLE IF NOT EXISTS _invisible (id TEXT PRIMARY KEY)")

    def _open(self) -> sqlite3.Connection:
        place = self.path or ":memory:"
        connection = sqlite3.connect(place, timeout=60, isolation_level=None, check_same_thread=False)
        connection.executescript(_SETTINGS)
        return connection

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection: the writer inside a transaction, else a reader."""
        if self.path is None or (self._depth and self._writing_thread == threading.get_ident()):
            return self._writer
        if not hasattr(self._local, "reader"):
            self._local.reader = self._open()
        reader: sqlite3.Connection = self._local.reader
        return reader

    def close(self) -> None:
        """Let go of the files, as far as this thread is concerned."""
        self._writer.close()
        if hasattr(self._local, "reader"):
            self._local.reader.close()

    def replace_with(self, path: Path) -> None:
        """Take over all rows of another database."""
        with self._lock:
            source = sqlite3.connect(path)
            source.backup(self._writer)
            source.close()

    def take(self, content: bytes) -> None:
        """Become a copy of another database (``copy`` of its store)."""
        self._writer.deserialize(content)

    def copy(self) -> bytes:
        """The whole database."""
        return self._writer.serialize()

    def ensure(self, schema: Schema, *, with_indexes: bool = True) -> None:
        """Create what the schema has and the database lacks."""
        for sobject in schema.objects.values():
            stored = [field for field in sobject.fields.values() if field.is_stored]
            have = {row[1] for row in self._writer.execute(f"PRAGMA table_info({column(sobject.name)})")}
            if not have:
                columns = ", ".join(f"{column(field.name)} {_declared(field)}" for field in stored)
                self._writer.execute(f"CREATE TABLE {column(sobject.name)} ({columns})")
            for field in stored if have else ():
                if field.name not in have:
                    default = " DEFAULT 'false'" if field.type == "boolean" else ""
                    added = f"{column(field.name)} {_declared(field)}{default}"
                    self._writer.execute(f"ALTER TABLE {column(sobject.name)} ADD COLUMN {added}")
        if with_indexes:
            self.index(schema)

    def index(self, schema: Schema) -> None:
        """Create the indexes; seeding drops them for its time."""
        for sobject in schema.objects.values():
            table = column(sobject.name)
            self._writer.execute(f'CREATE UNIQUE INDEX IF NOT EXISTS "{sobject.name}.Id" ON {table} ("Id")')
            for field in sobject.fields.values():
                if field.name in _INDEXED or "x" in field.flags or field.is_unique:
                    name = column(f"{sobject.name}.{field.name}")
                    self._writer.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column(field.name)})")

    def drop_indexes(self, sobject: SObject) -> None:
        """Make many inserts quick."""
        for row in self._writer.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", [sobject.name]
        ).fetchall():
            self._writer.execute(f"DROP INDEX {column(row[0])}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested ones are savepoints."""
        with self._lock:
            self._depth += 1
            self._writing_thread = threading.get_ident()
            name = f"level{self._depth}"
            self._writer.execute("BEGIN IMMEDIATE" if self._depth == 1 else f"SAVEPOINT {name}")
            try:
                yield
            except BaseException:
                self._writer.execute("ROLLBACK" if self._depth == 1 else f"ROLLBACK TO {name}")
                raise
            else:
                self._writer.execute("COMMIT" if self._depth == 1 else f"RELEASE {name}")
            finally:
                self._depth -= 1

    def next_number(self, prefix: str) -> int:
        """The next number of an object's ids; inside a transaction."""
        self._writer.execute("INSERT OR IGNORE INTO _numbers VALUES (?, 0)", [prefix])
        self._writer.execute("UPDATE _numbers SET last = last + 1 WHERE prefix = ?", [prefix])
        return int(self._writer.execute("SELECT last FROM _numbers WHERE prefix = ?", [prefix]).fetchone()[0])

    def reserve(self, prefix: str, count: int) -> int:
        """Take ``count`` numbers at once; answers the first."""
        first = self.next_number(prefix)
        self._writer.execute("UPDATE _numbers SET last = last + ? WHERE prefix = ?", [count - 1, prefix])
        return first

    def insert(self, sobject: str, values: dict[str, Any]) -> None:
        """One row; inside a transaction."""
        self.load(sobject, list(values), [tuple(values.values())])

    def load(self, sobject: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Many rows; inside a transaction."""
        listed = ", ".join(column(name) for name in names)
        marks = ", ".join("?" * len(names))
        self._writer.executemany(f"INSERT INTO {column(sobject)} ({listed}) VALUES ({marks})", rows)

    def update(self, sobject: str, record_id: str, values: dict[str, Any]) -> None:
        """One row; inside a transaction."""
        listed = ", ".join(f"{column(name)} = ?" for name in values)
        self._writer.execute(f'UPDATE {column(sobject)} SET {listed} WHERE "Id" = ?', [*values.values(), record_id])

    def remove(self, sobject: str, record_id: str) -> None:
        """Delete a row for good; inside a transaction."""
        self._writer.execute(f'DELETE FROM {column(sobject)} WHERE "Id" = ?', [record_id])

    def row(self, sobject: str, record_id: str) -> dict[str, Any] | None:
        """One row by id, deleted or not."""
        return next(iter(self.rows(sobject, {"Id": record_id})), None)

    def rows(self, sobject: str, where: dict[str, Any], limit: int = -1) -> list[dict[str, Any]]:
        """The rows that have these values."""
        test = " AND ".join(f"{column(name)} = ?" for name in where) or "1"
        cursor = self.connection.execute(
            f"SELECT * FROM {column(sobject)} WHERE {test} LIMIT ?", [*where.values(), limit]
        )
        names = [entry[0] for entry in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def count(self, sobject: str) -> int:
        """Rows of an object that are not deleted."""
        found = self.connection.execute(f"SELECT count(*) FROM {column(sobject)}").fetchone()
        return int(found[0])

    def set_invisible(self, ids: Iterable[str], *, visible: bool) -> None:
        """Take rows out of the API user's sight, or give them back."""
        with self.transaction():
            statement = (
                "DELETE FROM _invisible WHERE id = ?" if visible else "INSERT OR IGNORE INTO _invisible VALUES (?)"
            )
            self._writer.executemany(statement, [(one,) for one in ids])

    def has_invisible(self) -> bool:
        return self.connection.execute("SELECT 1 FROM _invisible LIMIT 1").fetchone() is not None

    def is_invisible(self, record_id: str) -> bool:
        return self.connection.execute("SELECT 1 FROM _invisible WHERE id = ?", [record_id]).fetchone() is not None
