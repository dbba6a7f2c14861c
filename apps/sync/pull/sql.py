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

from apps.audience.fields import CUSTOM_PREFIX, RECORD_COLUMNS, Kind, LocalField, local_field
from apps.domain.mapping import Step
from apps.domain.rows import PERSON_ACCOUNT
from apps.sync.pull.sql_values import (
    canonical,
    domain,
    identifier,
    literal,
    local_value,
    oddness,
    reference_to,
    value_of,
)
from apps.sync_actions.queue import CREATED_ROWS

TABLES = {"person": "audience_person", "company": "audience_company", "opportunity": "audience_opportunity"}
_LATE = "interval '1 hour'"
_PLANNER = (
    "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL max_parallel_workers_per_gather = 0"
)

LOOK_UPS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
"""For the decider's statements on some hundred rows: each finds its rows by an index, whatever the planner believes of
the size of a tenant's tables."""


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


@dataclass(frozen=True, slots=True)
class _Page:
    """The rows that the statements speak of: those of ``staged`` for which ``ours`` is true. ``rows`` are a row's
    values under the names of the decision, ``v0`` and on in the order of the step's rules."""

    step: Step
    fields: Sequence[LocalField]
    staged: str
    ours: str
    rows: str

    @property
    def target(self) -> str:
        """The table of the records."""
        return TABLES[self.step.local_type]

    @property
    def link_key(self) -> str:
        """The column of a link that names its record."""
        return RECORD_COLUMNS[self.step.local_type]


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
    staged, key_of_row = f"staging.{identifier(table)}", _key(step)
    ours = f"(hashtext({key_of_row}) & 1) = %(half)s" if by_halves else "true"
    fields = [local_field(step.local_type, rule.local_field) for rule in step.rules]
    page = _Page(step, fields, staged, ours, _rows(step, fields, columns))
    return Statements(
        planner=_PLANNER,
        count=f"SELECT count(*) FROM {staged} s WHERE {ours}",
        same=_same(page, trusts_stamp=trusts_stamp and not any(rule.value_map for rule in step.rules)),
        create=_create(page, CREATED_ROWS if has_watchers else "", holds_back=by_halves),
        unlinked=(
            f'SELECT s."Id" FROM {staged} s WHERE {ours} AND (SELECT l.is_leading FROM sync_recordlink l '
            'WHERE l.tenant_id = %(tenant)s AND l.connection_id = %(connection)s AND l.remote_id = s."Id") IS NULL'
        ),
        keys=f'SELECT DISTINCT hashtext({key_of_row}) FROM {staged} s WHERE s."Id" = ANY(%(left)s)',
    )


def _key(step: Step) -> str:
    """What no two records may share, and else the row's id."""
    email = next((rule for rule in step.rules if step.local_type == "person" and rule.local_field == "email"), None)
    return 's."Id"' if email is None else f"coalesce(nullif(lower({canonical(email)}), ''), s.\"Id\")"


def _rows(step: Step, fields: Sequence[LocalField], columns: Sequence[str]) -> str:
    """What both decisions look at in a row: who and when it is, consent, conversion, oddness and its values."""
    has_persons = PERSON_ACCOUNT in columns
    values = ", ".join(
        f"{value_of(rule, field, has_persons=has_persons)} AS v{i}"
        for i, (rule, field) in enumerate(zip(step.rules, fields, strict=True))
    )
    has_opt_out = step.local_type == "person" and "HasOptedOutOfEmail" in columns
    raw_out = "(nullif(lower(s.\"HasOptedOutOfEmail\"), '') = 'true')" if has_opt_out else "NULL::boolean"
    # Who has opted out is asked for whatever the filter says: whether the filter admits them is not for SQL to say.
    odd = oddness(step.rules) + (f" OR {raw_out}" if has_opt_out and step.inbound_filter is not None else "")
    # As in ``apps.domain.moves.fate_of``: a converted lead whose contact cannot be seen is an ordinary row.
    has_converted = {"IsConverted", "ConvertedContactId"} <= set(columns)
    converted = "s.\"IsConverted\" = 'true' AND s.\"ConvertedContactId\" <> ''" if has_converted else "false"
    return (
        f's."Id" AS rid, s."SystemModstamp" AS stamp, s."CreatedDate" AS born, {raw_out} AS out_there, '
        f"coalesce({raw_out}, false) AND %(opt_out)s AS opted_out, coalesce({converted}, false) AS converted, "
        f"({odd}) AS odd, {values}"
    )


# -- rows that say nothing new --------------------------------------------------------------------------------


def _same(page: _Page, *, trusts_stamp: bool) -> str:
    """Rows that say nothing new: their record has not moved, and they hold what is in the baseline.

    A row with the stamp that was applied last holds what it held then, so its values need not be looked at; unless it
    had changed within ``_LATE`` of that reading, when another change with the same stamp may have become visible since.
    A row that does not lead speaks of consent only; a converted lead's link is closed once that is known.
    """
    target, key = page.target, page.link_key
    packed = f"ARRAY[{', '.join(f'v{i}' for i in range(len(page.step.rules)))}]::text[]"
    agreed = "NOT opted_out OR r.email_opt_out" if page.step.local_type == "person" else "true"
    settled = f"l.remote_stamp < l.pulled_at - {_LATE}" if trusts_stamp else "false"
    return f"""
WITH linked AS MATERIALIZED (
  SELECT s.*, l.is_leading, l.is_live, l.opted_out AS known_out, l.layout_id, l.base_remote,
    l.local_version, l.{key} AS record_id, {settled} AND s."SystemModstamp"::timestamptz = l.remote_stamp AS settled
  FROM {page.staged} s, LATERAL (
    SELECT k.* FROM sync_recordlink k
    WHERE k.tenant_id = %(tenant)s AND k.connection_id = %(connection)s AND k.remote_id = s."Id" LIMIT 1) l
  WHERE {page.ours}
), compared AS (
  SELECT s.is_leading, s.is_live, s.known_out, s.layout_id, s.base_remote, s.local_version, s.record_id, s.settled,
    {page.rows} FROM linked s
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


# -- rows that become records ---------------------------------------------------------------------------------

_Placed = Sequence[tuple[int, LocalField]]
"""Fields with the places of their rules: the value of the rule at place 3 is ``v3``, the record it refers to ``r3``."""


@dataclass(frozen=True, slots=True)
class _Matching:
    """How a row is told from one whose record may be here already: ``is_new`` is true of it, after the column
    ``computed`` was. ``columns`` and ``values`` are what its record holds besides."""

    is_new: str = "true"
    computed: str = ""
    columns: str = ""
    values: str = ""


def _create(page: _Page, reactions: str, *, holds_back: bool) -> str:
    """Rows without link and candidate: their records, links and entries, and what follows from them."""
    step = page.step
    filled = [(i, page.fields[i]) for i, rule in enumerate(step.rules) if step.brings(rule)]
    plain = [(i, field) for i, field in filled if not field.name.startswith(CUSTOM_PREFIX)]
    custom = [(i, field) for i, field in filled if field.name.startswith(CUSTOM_PREFIX)]
    matching = _matching(step, plain, holds_back=holds_back)
    return f"""
WITH {_fresh(page, matching)}, records AS ({_records(page.target, plain, custom, matching)}
), links AS ({_links(page, filled)}
), entries AS (
  INSERT INTO sync_runentry (tenant_id, run_id, sobject, remote_id, local_type, local_id, action, at)
  SELECT %(tenant)s, %(run)s, %(sobject)s, rid, '{step.local_type}', id, 'created', %(now)s FROM fresh
){_words(step, plain)}{reactions}
SELECT count(*) FROM fresh
"""


def _matching(step: Step, plain: _Placed, *, holds_back: bool) -> _Matching:
    match step.local_type:
        case "person":
            return _matching_person(_place(plain, "email"), holds_back=holds_back)
        case "company":
            return _matching_company(_place(plain, "website"))
        case _:
            return _Matching()


def _place(plain: _Placed, name: str) -> int | None:
    return next((i for i, field in plain if field.name == name), None)


def _matching_person(email: int | None, *, holds_back: bool) -> _Matching:
    """People are matched by address, also among the rows: of one address, the first row may become a person."""
    columns, values = ", email_opt_out", ", opted_out"
    if email is None:
        return _Matching(columns=columns, values=values)
    is_new = (
        f"(b.v{email} = '' OR (b.turn = 1 AND (SELECT p.id FROM audience_person p WHERE p.tenant_id = %(tenant)s "
        f"AND p.email_key = b.v{email} AND p.email_key <> '') IS NULL))"
    )
    if holds_back:
        is_new += f" AND NOT hashtext(b.v{email}) = ANY(%(held)s::integer[])"
    return _Matching(is_new, f", row_number() OVER (PARTITION BY v{email} ORDER BY rid) AS turn", columns, values)


def _matching_company(website: int | None) -> _Matching:
    """Companies are matched by domain with those that Salesforce does not know yet."""
    if website is None:
        return _Matching()
    site = domain(f"v{website}")
    is_new = (
        f"(b.v{website} = '' OR (SELECT count(*) FROM (SELECT 1 FROM audience_company c WHERE c.tenant_id = "
        f"%(tenant)s AND c.domain = b.site AND c.domain <> '' AND c.leading_sobject = '' LIMIT 1) x) = 0)"
    )
    return _Matching(is_new, f", {site} AS site", ", domain", f", {site}")


def _fresh(page: _Page, matching: _Matching) -> str:
    """The rows that become records, each with its record's id and those of the records it refers to."""
    references = [(i, field) for i, field in enumerate(page.fields) if field.kind is Kind.REFERENCE]
    referred = "".join(f", {reference_to(field, f'b.v{i}')} AS r{i}" for i, field in references)
    return f"""plain AS MATERIALIZED (SELECT {page.rows} FROM {page.staged} s WHERE {page.ours}),
b AS MATERIALIZED (SELECT plain.*{matching.computed} FROM plain),
fresh AS MATERIALIZED (
  SELECT b.*, nextval('{page.target}_id_seq') AS id{referred} FROM b
  WHERE NOT odd AND NOT converted AND (SELECT l.is_leading FROM sync_recordlink l WHERE l.tenant_id = %(tenant)s
         AND l.connection_id = %(connection)s AND l.remote_id = b.rid) IS NULL AND {matching.is_new}
  ORDER BY b.rid
)"""


def _records(target: str, plain: _Placed, custom: _Placed, matching: _Matching) -> str:
    columns = ", ".join(field.column for _, field in plain)
    values = ", ".join(local_value(field, f"v{i}", f"r{i}") for i, field in plain)
    own = ", ".join(f"{literal(field.name.removeprefix(CUSTOM_PREFIX))}, v{i}" for i, field in custom)
    return f"""
  INSERT INTO {target} (tenant_id, id, source, leading_sobject, leading_remote_id, created_at, updated_at, custom,
                        {columns}{matching.columns})
  SELECT %(tenant)s, id, 'salesforce', %(sobject)s, rid, %(now)s, %(now)s, jsonb_build_object({own}),
         {values}{matching.values} FROM fresh"""


def _links(page: _Page, filled: _Placed) -> str:
    """Links with their baselines: NULL for what the record does not hold, which a reference without its record is."""
    held = {
        i: f"CASE WHEN v{i} <> '' AND r{i} IS NULL THEN NULL ELSE v{i} END" if field.kind is Kind.REFERENCE else f"v{i}"
        for i, field in filled
    }
    key, base = page.link_key, ", ".join(held.get(i, "NULL") for i in range(len(page.fields)))
    return f"""
  INSERT INTO sync_recordlink (tenant_id, connection_id, remote_id, sobject, {key}, layout_id, base_remote,
    local_version, remote_stamp, remote_created_at, pulled_at, opted_out, created_run_id, created_at)
  SELECT %(tenant)s, %(connection)s, rid, %(sobject)s, id, %(layout)s, ARRAY[{base}]::text[], 1, stamp::timestamptz,
         born::timestamptz, %(now)s, out_there, %(run)s, %(now)s FROM fresh"""


def _words(step: Step, plain: _Placed) -> str:
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
