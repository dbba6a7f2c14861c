"""The statements with which PostgreSQL decides the plain rows of a page.

SQL decides three classes only: a row without link and candidate (created), one equal to its baseline whose record
has not moved (unchanged); everything else goes to the decider in Python. ``tests/sync/test_sql_agrees.py`` runs both
on the same rows.

Two rules of row-level security shape them. A condition reaches an index only where it is leakproof through and
through: so values are computed in a MATERIALIZED step first, and compared as plain columns. And a fresh tenant's
tables look empty to the planner: so links and records are looked up by correlated sub-selects, one index probe a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.audience.fields import CUSTOM_PREFIX, Kind, LocalField, local_field
from apps.domain.mapping import FieldRule, Step
from apps.domain.rows import PERSON_ACCOUNT
from apps.domain.values import NUMERIC, FieldType
from apps.sync_actions.queue import CREATED_ROWS

TABLES = {"person": "audience_person", "company": "audience_company", "opportunity": "audience_opportunity"}
_BLANKS = r"E' \t\n\r\f\v'"
_REFERENCES = {"company": ("sync_recordlink", "company_id"), "owner": ("audience_owner", "id")}
_LATE = "interval '1 hour'"
_PLANNER = (
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL max_parallel_workers_per_gather = 0"
)

LOOK_UPS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
"""For the decider's statements on some hundred rows: each finds its rows by an index, whatever the planner believes of
the size of a tenant's tables."""


def identifier(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted text of ours (keys of fields); percent signs are doubled for the driver."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one step and page table. Parameters: tenant, connection, run, layout, sobject, now, opt_out;
    for half a page ``half`` (0 or 1) and ``held`` (hashes of keys that earlier pages have left to the decider), too.

    ``keys`` answers the hashes of the keys of the rows in ``left``. Rows of one key (an address; where there is none,
    the row's own id) are in the same half of whatever page they come with.
    """

    planner: str
    count: str
    same: str
    create: str
    unlinked: str
    keys: str


def _canonical(rule: FieldRule) -> str:
    column, kind = f"s.{identifier(rule.remote_field)}", rule.remote_type
    if kind is FieldType.TEXTAREA:  # addresses and descriptions come with carriage returns
        column = rf"replace(replace({column}, E'\r\n', E'\n'), E'\r', E'\n')"
    text = f"btrim(coalesce({column}, ''), {_BLANKS})"
    if kind is FieldType.EMAIL:
        return f"lower({text})"
    if kind in NUMERIC:
        number = f"({text})::numeric"
        if rule.scale is not None:
            number = f"round({number}, {int(rule.scale)})"
        return f"CASE WHEN {_looks_odd(rule)} THEN NULL WHEN {text} = '' THEN '' ELSE trim_scale({number})::text END"
    if kind is FieldType.BOOLEAN:
        return f"coalesce(nullif(lower({text}), ''), 'false')"
    return text


def _value(rule: FieldRule, field: LocalField, *, has_persons: bool) -> str:
    """The canonical value; a person account has no company: its account is itself."""
    text = _canonical(rule)
    if not has_persons or field.refers_to != "company":
        return text
    return f"CASE WHEN s.{identifier(PERSON_ACCOUNT)} = 'true' THEN '' ELSE {text} END"


_NUMBER = "'^-?[0-9]{1,18}([.][0-9]{1,20})?$'"
_SHAPES = {
    FieldType.DATE: "'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'",
    FieldType.DATETIME: r"'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$'",
    FieldType.ID: "'^[A-Za-z0-9]{18}$'",
    FieldType.REFERENCE: "'^[A-Za-z0-9]{18}$'",
    FieldType.BOOLEAN: "'^(true|false)$'",
    FieldType.MULTIPICKLIST: "'^[^;]*$'",
}


def _looks_odd(rule: FieldRule) -> str:
    """True for a value whose canonical form is Python's to find."""
    column = f"coalesce(s.{identifier(rule.remote_field)}, '')"
    pattern = _NUMBER if rule.remote_type in NUMERIC else _SHAPES.get(rule.remote_type)
    return f"({column} <> '' AND {column} !~ {pattern})" if pattern else "false"


def _odd(rules: Sequence[FieldRule]) -> str:
    """Rows with a value out of the ordinary, a carriage return, or a value map to apply."""
    tests = [test for test in map(_looks_odd, rules) if test != "false"]
    texts = [
        f"s.{identifier(rule.remote_field)}"
        for rule in rules
        if rule.remote_type not in NUMERIC
        and rule.remote_type not in _SHAPES
        and rule.remote_type is not FieldType.TEXTAREA
    ]
    if texts:
        tests.append(rf"strpos(concat_ws('', {', '.join(texts)}), E'\r') > 0")
    if any(rule.value_map for rule in rules):
        tests.append("true")
    return " OR ".join(tests) or "false"


def _reference(field: LocalField, value: str) -> str:
    table, column = _REFERENCES[field.refers_to]
    extra = " AND r.connection_id = %(connection)s AND r.company_id IS NOT NULL" if table == "sync_recordlink" else ""
    return (
        f"CASE WHEN {value} = '' THEN NULL ELSE (SELECT r.{column} FROM {table} r "
        f"WHERE r.tenant_id = %(tenant)s{extra} AND r.remote_id = {value}) END"
    )


def _local(field: LocalField, value: str, reference: str) -> str:
    match field.kind:
        case Kind.INTEGER:
            return f"nullif({value}, '')::numeric::bigint"
        case Kind.DECIMAL:
            return f"nullif({value}, '')::numeric"
        case Kind.DATE:
            return f"nullif({value}, '')::date"
        case Kind.BOOLEAN:
            return f"({value} = 'true')"
        case Kind.REFERENCE:
            return reference
        case _:
            return value


def statements(
    step: Step,
    columns: Sequence[str],
    table: str,
    *,
    has_watchers: bool = False,
    trusts_stamp: bool = False,
    by_halves: bool = False,
) -> Statements:
    """Build the statements for a page of ``step``'s sObject. With watchers, people that are made start rules: the
    parameters are then those of ``apps.sync_actions.queue``, too. ``trusts_stamp``: mapped values change only together
    with the row's SystemModstamp. ``by_halves``: they concern the rows of one half."""
    rules, staged = step.rules, f"staging.{identifier(table)}"
    key_of_row = _key(step)
    ours = f"(hashtext({key_of_row}) & 1) = %(half)s" if by_halves else "true"
    fields = [local_field(step.local_type, rule.local_field) for rule in rules]
    has_persons = PERSON_ACCOUNT in columns
    values = ", ".join(
        f"{_value(rule, field, has_persons=has_persons)} AS v{i}"
        for i, (rule, field) in enumerate(zip(rules, fields, strict=True))
    )
    has_opt_out = step.local_type == "person" and "HasOptedOutOfEmail" in columns
    raw_out = "(nullif(lower(s.\"HasOptedOutOfEmail\"), '') = 'true')" if has_opt_out else "NULL::boolean"
    # Who has opted out is asked for whatever the filter says: whether the filter admits them is not for SQL to say.
    odd = _odd(rules) + (f" OR {raw_out}" if has_opt_out and step.inbound_filter is not None else "")
    # As in ``apps.domain.moves.fate_of``: a converted lead whose contact cannot be seen is an ordinary row.
    has_converted = {"IsConverted", "ConvertedContactId"} <= set(columns)
    converted = "s.\"IsConverted\" = 'true' AND s.\"ConvertedContactId\" <> ''" if has_converted else "false"
    rows = (
        f's."Id" AS rid, s."SystemModstamp" AS stamp, s."CreatedDate" AS born, {raw_out} AS out_there, '
        f"coalesce({raw_out}, false) AND %(opt_out)s AS opted_out, coalesce({converted}, false) AS converted, "
        f"({odd}) AS odd, {values}"
    )
    target, key = TABLES[step.local_type], f"{step.local_type}_id"
    return Statements(
        planner=_PLANNER,
        count=f"SELECT count(*) FROM {staged} s WHERE {ours}",
        same=_same(
            step,
            staged,
            ours,
            rows,
            target,
            key,
            trusts_stamp=trusts_stamp and not any(rule.value_map for rule in rules),
        ),
        create=_create(
            step, staged, ours, rows, fields, target, key, CREATED_ROWS if has_watchers else "", holds_back=by_halves
        ),
        unlinked=(
            f'SELECT s."Id" FROM {staged} s WHERE {ours} AND (SELECT l.is_leading FROM sync_recordlink l '
            'WHERE l.tenant_id = %(tenant)s AND l.connection_id = %(connection)s AND l.remote_id = s."Id") IS NULL'
        ),
        keys=f'SELECT DISTINCT hashtext({key_of_row}) FROM {staged} s WHERE s."Id" = ANY(%(left)s)',
    )


def _key(step: Step) -> str:
    """What no two records may share, and else the row's id."""
    email = next((rule for rule in step.rules if step.local_type == "person" and rule.local_field == "email"), None)
    return 's."Id"' if email is None else f"coalesce(nullif(lower({_canonical(email)}), ''), s.\"Id\")"


def _same(step: Step, staged: str, ours: str, rows: str, target: str, key: str, *, trusts_stamp: bool) -> str:
    """Rows that say nothing new: their record has not moved, and they hold what is in the baseline.

    A row with the stamp that was applied last holds what it held then, so its values need not be looked at; unless it
    had changed within ``_LATE`` of that reading, when another change with the same stamp may have become visible since.
    A row that does not lead speaks of consent only; a converted lead's link is closed once that is known.
    """
    packed = f"ARRAY[{', '.join(f'v{i}' for i in range(len(step.rules)))}]::text[]"
    agreed = "NOT opted_out OR r.email_opt_out" if step.local_type == "person" else "true"
    settled = f"l.remote_stamp < l.pulled_at - {_LATE}" if trusts_stamp else "false"
    return f"""
WITH linked AS MATERIALIZED (
  SELECT s.*, l.is_leading, l.is_live, l.opted_out AS known_out, l.layout_id, l.base_remote,
    l.local_version, l.{key} AS record_id, {settled} AND s."SystemModstamp"::timestamptz = l.remote_stamp AS settled
  FROM {staged} s, LATERAL (
    SELECT k.* FROM sync_recordlink k
    WHERE k.tenant_id = %(tenant)s AND k.connection_id = %(connection)s AND k.remote_id = s."Id" LIMIT 1) l
  WHERE {ours}
), compared AS (
  SELECT s.is_leading, s.is_live, s.known_out, s.layout_id, s.base_remote, s.local_version, s.record_id, s.settled,
    {rows} FROM linked s
), judged AS (
  SELECT c.rid, (
    CASE WHEN c.converted THEN c.settled AND NOT c.is_live ELSE c.is_live END
    AND c.known_out IS NOT DISTINCT FROM c.out_there
    AND CASE
      WHEN NOT c.is_leading THEN c.settled AND NOT c.odd
      WHEN c.layout_id IS DISTINCT FROM %(layout)s THEN false
      WHEN c.settled AND array_position(c.base_remote, NULL) IS NULL THEN true
      ELSE NOT c.odd AND c.base_remote = {packed}
    END
    AND (SELECT (r.version = c.local_version OR NOT c.is_leading) AND r.is_active AND ({agreed}) FROM {target} r
         WHERE r.tenant_id = %(tenant)s AND r.id = c.record_id)) IS TRUE AS same
  FROM compared c
)
SELECT count(*) FILTER (WHERE same), coalesce(array_agg(rid) FILTER (WHERE NOT same), ARRAY[]::text[]) FROM judged
"""


def _create(
    step: Step,
    staged: str,
    ours: str,
    rows: str,
    fields: Sequence[LocalField],
    target: str,
    key: str,
    reactions: str,
    *,
    holds_back: bool,
) -> str:
    rules = step.rules
    brought = [step.brings(rule) for rule in rules]
    references = {i: _reference(field, f"b.v{i}") for i, field in enumerate(fields) if field.kind is Kind.REFERENCE}
    resolved = "".join(f", {text} AS r{i}" for i, text in references.items())
    plain = [(i, f) for i, f in enumerate(fields) if brought[i] and not f.name.startswith(CUSTOM_PREFIX)]
    custom = [(i, f) for i, f in enumerate(fields) if brought[i] and f.name.startswith(CUSTOM_PREFIX)]
    base = ", ".join(
        "NULL"
        if not brought[i]
        else f"CASE WHEN v{i} <> '' AND r{i} IS NULL THEN NULL ELSE v{i} END"
        if i in references
        else f"v{i}"
        for i in range(len(rules))
    )
    packed_custom = ", ".join(f"{literal(f.name.removeprefix(CUSTOM_PREFIX))}, v{i}" for i, f in custom)
    extra_columns, extra_values = "", ""
    candidate, once = "true", ""
    email = next((i for i, f in plain if step.local_type == "person" and f.name == "email"), None)
    if step.local_type == "person":
        extra_columns, extra_values = ", email_opt_out", ", opted_out"
    if email is not None:
        candidate = (
            f"(b.v{email} = '' OR (b.turn = 1 AND (SELECT p.id FROM audience_person p WHERE p.tenant_id = %(tenant)s "
            f"AND p.email_key = b.v{email} AND p.email_key <> '') IS NULL))"
        )
        if holds_back:
            candidate += f" AND NOT hashtext(b.v{email}) = ANY(%(held)s::integer[])"
        once = f", row_number() OVER (PARTITION BY v{email} ORDER BY rid) AS turn"
    website = next((i for i, f in plain if step.local_type == "company" and f.name == "website"), None)
    if website is not None:
        extra_columns += ", domain"
        extra_values += f", {_domain(f'v{website}')}"
        candidate = (
            f"(b.v{website} = '' OR (SELECT count(*) FROM (SELECT 1 FROM audience_company c WHERE c.tenant_id = "
            f"%(tenant)s AND c.domain = b.site AND c.domain <> '' AND c.leading_sobject = '' LIMIT 1) x) = 0)"
        )
        once = f", {_domain(f'v{website}')} AS site"
    columns = ", ".join(f.column for _, f in plain)
    values = ", ".join(_local(f, f"v{i}", f"r{i}") for i, f in plain)
    return f"""
WITH plain AS MATERIALIZED (SELECT {rows} FROM {staged} s WHERE {ours}),
b AS MATERIALIZED (SELECT plain.*{once} FROM plain),
fresh AS MATERIALIZED (
  SELECT b.*, nextval('{target}_id_seq') AS id{resolved} FROM b
  WHERE NOT odd AND NOT converted AND (SELECT l.is_leading FROM sync_recordlink l WHERE l.tenant_id = %(tenant)s
         AND l.connection_id = %(connection)s AND l.remote_id = b.rid) IS NULL AND {candidate}
  ORDER BY b.rid
), records AS (
  INSERT INTO {target} (tenant_id, id, source, leading_sobject, leading_remote_id, created_at, updated_at, custom,
                        {columns}{extra_columns})
  SELECT %(tenant)s, id, 'salesforce', %(sobject)s, rid, %(now)s, %(now)s, jsonb_build_object({packed_custom}),
         {values}{extra_values} FROM fresh
), links AS (
  INSERT INTO sync_recordlink (tenant_id, connection_id, remote_id, sobject, {key}, layout_id, base_remote,
    local_version, remote_stamp, remote_created_at, pulled_at, opted_out, created_run_id, created_at)
  SELECT %(tenant)s, %(connection)s, rid, %(sobject)s, id, %(layout)s, ARRAY[{base}]::text[], 1, stamp::timestamptz,
         born::timestamptz, %(now)s, out_there, %(run)s, %(now)s FROM fresh
), entries AS (
  INSERT INTO sync_runentry (tenant_id, run_id, sobject, remote_id, local_type, local_id, action, at)
  SELECT %(tenant)s, %(run)s, %(sobject)s, rid, '{step.local_type}', id, 'created', %(now)s FROM fresh
){_words(step, plain)}{reactions}
SELECT count(*) FROM fresh
"""


def _domain(value: str) -> str:
    """``apps.domain.values.domain_of`` for websites, in SQL."""
    return (
        f"CASE WHEN {value} ~ '^[^ ]+[.][^ ]+$' THEN "
        rf"btrim(regexp_replace(regexp_replace(lower({value}), '^([a-z]+://)?(www[.])?', ''), '[/?:].*$', ''), '.') "
        "ELSE '' END"
    )


def _words(step: Step, plain: Sequence[tuple[int, LocalField]]) -> str:
    """Names of several words are found by their further words, too."""
    names = [f"v{i}" for i, f in plain if step.local_type == "person" and f.name in {"first_name", "last_name"}]
    if not names:
        return ""
    listed = ", ".join(names)
    return f""", words AS (
  INSERT INTO audience_personword (tenant_id, word, person_id)
  SELECT DISTINCT %(tenant)s, w.word, f.id FROM fresh f,
    LATERAL unnest(ARRAY[{listed}]) n (name),
    LATERAL regexp_split_to_table(lower(n.name), '[^[:alnum:]]+') WITH ORDINALITY w (word, place)
  WHERE n.name ~ '[^[:alnum:]]' AND w.place > 1 AND w.word <> ''
)"""
