"""Applying a chunk, set-based: match, lock, create, update, and everything that follows from it, in one transaction.

The rules of row-level security hold here as in ``apps/sync/pull/sql.py``: values are computed in a MATERIALIZED step
and compared as plain columns, and records are looked up by correlated sub-selects, one index probe a row.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from apps.audience.announcing import record_event
from apps.audience.fields import CUSTOM_PREFIX, Kind
from apps.audience.models import Company, EventKind, List, Person
from apps.audience.services.facts import call_attention
from apps.audience.services.lists import add_to_list
from apps.domain.webhooks import RECORD_EVENTS, WebhookEvent
from apps.imports.columns import OPT_OUT, Target
from apps.imports.models import Import, Mode
from apps.imports.values import Row
from apps.notifications.webhooks.emitting import emit_all, subscribers
from apps.outbox.queue import queue_table
from apps.tenants.scope import current_tenant_id

TABLES = {"person": "audience_person", "company": "audience_company"}
_ORIGIN = "import"
_PLANNER = (
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL max_parallel_workers_per_gather = 0"
)
_CASTS = {Kind.INTEGER: "bigint", Kind.DECIMAL: "numeric(20,2)", Kind.DATE: "date", Kind.DATETIME: "timestamptz"}
_DOMAIN = (
    r"CASE WHEN {0} ~ '^[^ ]+[.][^ ]+$' THEN left(btrim(regexp_replace(regexp_replace(lower({0}), "
    r"'^([a-z]+://)?(www[.])?', ''), '[/?:].*$', ''), '.'), 254) ELSE '' END"
)


@dataclass(slots=True)
class Applied:
    """What became of the rows of a chunk."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_alone: int = 0
    ambiguous: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Column:
    """A mapped field in the chunk's table."""

    staged: str
    target: Target

    @property
    def is_custom(self) -> bool:
        return self.target.name.startswith(CUSTOM_PREFIX)

    @property
    def key(self) -> str:
        return self.target.name.removeprefix(CUSTOM_PREFIX)

    @property
    def value(self) -> str:
        """The staged value, typed as its column."""
        kind = self.target.field.kind if self.target.field is not None else Kind.TEXT
        cast = "" if self.is_custom else _CASTS.get(kind, "")
        return f"s.{self.staged}::{cast}" if cast else f"s.{self.staged}"

    @property
    def held(self) -> str:
        """What the record holds, in the same type."""
        return f"coalesce(r.custom->>'{_quoted(self.key)}', '')" if self.is_custom else f'r."{self.target.name}"'

    @property
    def shown(self) -> str:
        """What the record holds, as the timeline shows it."""
        kind = self.target.field.kind if self.target.field is not None else Kind.TEXT
        text = f"trim_scale({self.held})" if kind is Kind.DECIMAL and not self.is_custom else self.held
        return f"coalesce({text}::text, '')"

    @property
    def is_blank(self) -> str:
        return f"{self.shown} = ''"


def _quoted(text: str) -> str:
    return text.replace("'", "''").replace("%", "%%")


_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def _line_of(row: Row, names: Sequence[str]) -> str:
    """A row in PostgreSQL's own text format for COPY, in which no value can end the data early."""
    cells = [row.values[name].translate(_ESCAPES) if name in row.values else "\\N" for name in names]
    return f"{row.number}\t" + "\t".join(cells) + "\n"


class Chunk:
    """The statements of one import; ``apply`` runs them on some rows."""

    def __init__(self, row: Import, targets: Sequence[Target], now: datetime) -> None:
        self._import = row
        self._type = row.record_type
        self._table = TABLES[row.record_type]
        self._mode = Mode(row.mode)
        self._names = [target.name for target in targets]
        self._columns = [_Column(f"c{i}", target) for i, target in enumerate(targets) if target.name != OPT_OUT]
        self._opt_out = next((f"c{i}" for i, target in enumerate(targets) if target.name == OPT_OUT), "")
        self._parameters: dict[str, Any] = {
            "tenant": current_tenant_id(),
            "now": now,
            "origin": _ORIGIN,
            "actor": row.actor_id,
            "label": f"Import of {row.filename}, by {row.actor_label}"[:254],
            "reactivates": row.reactivates,
            "type": row.record_type,
        }
        self._now = now

    def apply(self, rows: Sequence[Row]) -> Applied:
        """Take the rows in, in the open transaction."""
        self._stage(rows)
        self._match()
        self._lock()
        again = self._plan()
        self._write()
        applied = self._count()
        applied.again = again
        self._follow()
        return applied

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, self._parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def _stage(self, rows: Sequence[Row]) -> None:
        listed = ", ".join(f"c{i} text" for i in range(len(self._names)))
        text = io.StringIO("".join(_line_of(row, self._names) for row in rows))
        with connection.cursor() as cursor:
            cursor.execute(_PLANNER)
            cursor.execute("DROP TABLE IF EXISTS import_rows, import_matched, import_done")
            cursor.execute(f"CREATE TEMP TABLE import_rows (n bigint PRIMARY KEY, {listed}) ON COMMIT DROP")
            cursor.cursor.copy_expert("COPY import_rows FROM STDIN", text)

    def _column(self, name: str) -> str:
        return next((c.staged for c in self._columns if c.target.name == name), "")

    def _match(self) -> None:
        """The record of each row, if there is one: people by e-mail, companies by domain, then by name."""
        email, website, name = self._column("email"), self._column("website"), self._column("name")
        if self._type == "person":
            key = f"lower({email})" if email else "NULL::text"
            found = """(SELECT p.id FROM audience_person p WHERE p.tenant_id = %(tenant)s AND p.email_key = k.key
                AND p.email_key <> '')"""
            others = "NULL::bigint"
        else:
            site = _DOMAIN.format(website) if website else "NULL::text"
            key = f"nullif({site}, '')"
            of_site = """FROM audience_company c WHERE c.tenant_id = %(tenant)s AND c.domain = k.key
                AND c.domain <> ''"""
            of_name = "FROM audience_company c WHERE c.tenant_id = %(tenant)s AND c.name_key = k.title"
            found = f"coalesce((SELECT min(c.id) {of_site}), (SELECT min(c.id) {of_name}))"
            others = f"""coalesce((SELECT nullif(count(*), 0) FROM (SELECT 1 {of_site} LIMIT 2) x),
                (SELECT count(*) FROM (SELECT 1 {of_name} LIMIT 2) x))"""
        title = f"lower({name})" if name else "NULL::text"
        self._run(f"""
            CREATE TEMP TABLE import_matched ON COMMIT DROP AS
            WITH k AS MATERIALIZED (SELECT s.n, {key} AS key, {title} AS title FROM import_rows s)
            SELECT k.n, k.key, {found} AS id, {others} AS hits FROM k
        """)
        self._run("ALTER TABLE import_matched ADD PRIMARY KEY (n)")

    def _lock(self) -> None:
        """Always in the order of ids, as the engine does."""
        self._run(f"""
            SELECT count(*) FROM (SELECT DISTINCT id FROM import_matched WHERE id IS NOT NULL ORDER BY id) m,
              LATERAL (SELECT r.id FROM {self._table} r WHERE r.tenant_id = %(tenant)s AND r.id = m.id
                       LIMIT 1 FOR UPDATE) x
        """)

    def _plan(self) -> list[int]:
        """What each row does, with the fields it changes, before and after. Answers rows that have to wait, because
        another row before them is about the same company."""
        lines = " || ".join(self._packed([self._line(column) for column in self._columns]) or ["'{}'::jsonb"])
        out = self._out_line()
        active = (
            "CASE WHEN %(reactivates)s AND NOT r.is_active THEN jsonb_build_object('is_active', "
            "jsonb_build_object('before', 'false', 'after', 'true')) ELSE '{}'::jsonb END"
        )
        filled = " || ".join(
            self._packed([(c.target.name, f"CASE WHEN s.{c.staged} IS NOT NULL THEN true END") for c in self._columns])
            or ["'{}'::jsonb"]
        )
        if self._opt_out:
            filled += f" || CASE WHEN s.{self._opt_out} = 'true' THEN '{{\"{OPT_OUT}\": true}}' ELSE '{{}}' END::jsonb"
        changed = "'{}'::jsonb" if self._mode is Mode.SKIP else f"({lines}) || {active}"
        self._run(f"""
            CREATE TEMP TABLE import_done ON COMMIT DROP AS
            WITH joined AS (
              SELECT m.n, m.hits, m.id AS known, r.is_active AS was_active,
                CASE WHEN m.id IS NULL THEN jsonb_strip_nulls({filled})
                     ELSE jsonb_strip_nulls({changed} || {out}) END AS changes
              FROM import_matched m JOIN import_rows s ON s.n = m.n
              LEFT JOIN LATERAL (SELECT x.* FROM {self._table} x WHERE x.tenant_id = %(tenant)s AND x.id = m.id
                LIMIT 1) r ON true
              WHERE coalesce(m.hits, 0) < 2
            )
            SELECT j.n, coalesce(j.known, nextval('{self._table}_id_seq')) AS id, j.was_active, j.changes,
              CASE WHEN j.known IS NULL THEN 'created' WHEN j.changes <> '{{}}'::jsonb THEN 'updated'
                   ELSE 'unchanged' END AS action
            FROM joined j ORDER BY j.n
        """)
        self._run("CREATE INDEX ON import_done (id)")
        if self._type == "person":
            return []
        later = "DELETE FROM import_done d USING import_done e WHERE d.id = e.id AND d.n > e.n RETURNING d.n"
        return sorted({number for (number,) in self._run(later)})

    def _line(self, column: _Column) -> tuple[str, str]:
        moved = f"s.{column.staged} IS NOT NULL AND {column.held} IS DISTINCT FROM {column.value}"
        if self._mode is Mode.FILL:
            moved = f"s.{column.staged} IS NOT NULL AND {column.is_blank}"
        line = f"jsonb_build_object('before', {column.shown}, 'after', s.{column.staged})"
        return column.target.name, f"CASE WHEN {moved} THEN {line} END"

    def _out_line(self) -> str:
        """An opt-out counts whatever happens to the other fields; nothing in a file opts in."""
        if not self._opt_out:
            return "'{}'::jsonb"
        line = f"jsonb_build_object('{OPT_OUT}', jsonb_build_object('before', 'false', 'after', 'true'))"
        return f"CASE WHEN s.{self._opt_out} = 'true' AND NOT r.email_opt_out THEN {line} ELSE '{{}}'::jsonb END"

    def _packed(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """Objects of at most forty pairs: a function of PostgreSQL takes a hundred arguments."""
        parts = [pairs[start : start + 40] for start in range(0, len(pairs), 40)]
        return [
            "jsonb_build_object(" + ", ".join(f"'{_quoted(name)}', {value}" for name, value in part) + ")"
            for part in parts
        ]

    def _write(self) -> None:
        plain = [column for column in self._columns if not column.is_custom]
        custom = [column for column in self._columns if column.is_custom]
        packed = " || ".join(self._packed([(c.key, f"s.{c.staged}") for c in custom]) or ["'{}'::jsonb"])
        names = [f'"{c.target.name}"' for c in plain]
        values = [f"coalesce({c.value}, {self._blank(c)})" for c in plain]
        if self._type == "person" and self._opt_out:
            names.append(OPT_OUT)
            values.append(f"coalesce(s.{self._opt_out} = 'true', false)")
        if self._type == "company":
            names.append("domain")
            values.append("coalesce(m.key, '')")
        listed = "".join(f", {name}" for name in names)
        chosen = "".join(f", {value}" for value in values)
        self._run(f"""
            INSERT INTO {self._table} (tenant_id, id, source, created_at, updated_at, custom{listed})
            SELECT %(tenant)s, d.id, 'import', %(now)s, %(now)s, jsonb_strip_nulls({packed}){chosen}
            FROM import_done d JOIN import_rows s ON s.n = d.n JOIN import_matched m ON m.n = d.n
            WHERE d.action = 'created' ORDER BY d.n
        """)
        self._update(plain, custom, packed)

    def _blank(self, column: _Column) -> str:
        kind = column.target.field.kind if column.target.field is not None else Kind.TEXT
        return "NULL" if kind in _CASTS else "''"

    def _update(self, plain: Sequence[_Column], custom: Sequence[_Column], packed: str) -> None:
        named = [(column.target.name, f'"{column.target.name}"', column) for column in plain]
        settings = ["version = r.version + 1", "updated_at = %(now)s"]
        settings += [f"{n} = CASE WHEN d.changes ? '{k}' THEN {c.value} ELSE r.{n} END" for k, n, c in named]
        if custom:
            kept = (
                "(SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}'::jsonb) FROM jsonb_each(jsonb_strip_nulls("
                f"{packed})) e WHERE d.changes ? ('{CUSTOM_PREFIX}' || e.key))"
            )
            settings.append(f"custom = r.custom || {kept}")
        settings.append("is_active = r.is_active OR d.changes ? 'is_active'")
        if self._type == "person" and self._opt_out:
            settings.append(f"{OPT_OUT} = r.{OPT_OUT} OR d.changes ? '{OPT_OUT}'")
        if self._type == "company" and self._column("website"):
            settings.append("domain = CASE WHEN d.changes ? 'website' THEN coalesce(m.key, '') ELSE r.domain END")
        self._run(f"""
            UPDATE {self._table} r SET {", ".join(settings)}
            FROM import_done d JOIN import_rows s ON s.n = d.n JOIN import_matched m ON m.n = d.n
            WHERE r.tenant_id = %(tenant)s AND r.id = d.id AND d.action = 'updated'
        """)

    def _count(self) -> Applied:
        counts = dict(self._run("SELECT action, count(*) FROM import_done GROUP BY action"))
        applied = Applied(
            created=counts.get("created", 0), updated=counts.get("updated", 0), unchanged=counts.get("unchanged", 0)
        )
        if self._type == "company":
            applied.ambiguous = [n for (n,) in self._run("SELECT n FROM import_matched WHERE hits > 1 ORDER BY n")]
        if self._mode is Mode.SKIP:
            applied.left_alone, applied.unchanged = applied.unchanged, 0
        return applied

    # -- what follows -----------------------------------------------------------------------------------------

    def _follow(self) -> None:
        key = f"{self._type}_id"
        self._run(f"""
            INSERT INTO audience_recordchange (tenant_id, {key}, version, actor_id, actor_label, changes, at)
            SELECT %(tenant)s, d.id,
              (SELECT r.version FROM {self._table} r WHERE r.tenant_id = %(tenant)s AND r.id = d.id),
              %(actor)s, %(label)s,
              CASE WHEN d.action = 'created' THEN '{{}}'::jsonb ELSE d.changes END, %(now)s
            FROM import_done d WHERE d.action <> 'unchanged' ORDER BY d.n
        """)
        queue_table(
            local_type=self._type,
            rows="SELECT id, changes - 'is_active' AS fields FROM import_done WHERE action <> 'unchanged' ORDER BY id",
            origin=_ORIGIN,
            at=self._now,
        )
        if self._type == "person":
            self._follow_people()
        self._announce()

    def _follow_people(self) -> None:
        names = [c for c in self._columns if c.target.name in {"first_name", "last_name"}]
        if names:
            self._index_words([column.target.name for column in names])
        if self._opt_out:
            self._run(f"""
                INSERT INTO audience_consentchange (tenant_id, person_id, opted_out, source, actor_id, actor_label, at)
                SELECT %(tenant)s, d.id, true, %(label)s, %(actor)s, %(label)s, %(now)s FROM import_done d
                WHERE d.changes ? '{OPT_OUT}' ORDER BY d.n
            """)
        self._run(f"""
            INSERT INTO audience_engagement (tenant_id, person_id, kind, happened_at, received_at, subject, details,
              origin, points, score)
            SELECT %(tenant)s, d.id, '{EventKind.PERSON_CREATED.value}', %(now)s, %(now)s, 'Imported', '{{}}',
              %(origin)s, 0, 0
            FROM import_done d WHERE d.action = 'created' ORDER BY d.n
        """)
        call_attention(at=self._now)
        if self._import.list_id is not None:
            to = List.objects.filter(id=self._import.list_id).first()
            if to is not None:
                ids = [number for (number,) in self._run("SELECT id FROM import_done ORDER BY id")]
                add_to_list(people=ids, to=to, origin=_ORIGIN)

    def _index_words(self, names: Sequence[str]) -> None:
        """Names of several words are found by their further words, too."""
        changed = " OR ".join(f"d.changes ? '{name}'" for name in names)
        self._run(f"""
            DELETE FROM audience_personword w USING import_done d
            WHERE w.tenant_id = %(tenant)s AND w.person_id = d.id AND d.action = 'updated' AND ({changed})
        """)
        self._run(f"""
            INSERT INTO audience_personword (tenant_id, word, person_id)
            SELECT DISTINCT %(tenant)s, w.word, d.id FROM import_done d,
              LATERAL (SELECT p.first_name, p.last_name FROM audience_person p
                       WHERE p.tenant_id = %(tenant)s AND p.id = d.id LIMIT 1) r,
              LATERAL unnest(ARRAY[r.first_name, r.last_name]) n (name),
              LATERAL regexp_split_to_table(lower(n.name), '[^[:alnum:]]+') WITH ORDINALITY w (word, place)
            WHERE d.action <> 'unchanged' AND ({changed}) AND n.name ~ '[^[:alnum:]]' AND w.place > 1 AND w.word <> ''
            ON CONFLICT DO NOTHING
        """)

    def _announce(self) -> None:
        """Tell webhooks that want each record of an import, too."""
        wanted = subscribers(RECORD_EVENTS, bulk=True)
        if not wanted:
            return
        done = {
            row[0]: row for row in self._run("SELECT id, action, changes FROM import_done WHERE action <> 'unchanged'")
        }
        model: Any = Person if self._type == "person" else Company
        events = []
        for record in model.objects.filter(id__in=list(done)):
            _, action, changes = done[record.pk]
            event = WebhookEvent.RECORD_CREATED if action == "created" else WebhookEvent.RECORD_UPDATED
            known = _after(changes)
            events.append(record_event(event, local_type=self._type, record=record, changes=known, origin=_ORIGIN))
        emit_all(events, to=wanted)


def _after(changes: Any) -> dict[str, Any]:
    found = json.loads(changes) if isinstance(changes, str) else changes
    return {name: line["after"] for name, line in found.items() if isinstance(line, dict)}
