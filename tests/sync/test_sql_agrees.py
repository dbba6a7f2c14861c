"""SQL decides the plain rows of a page; the decider in Python must come to the same on the same rows."""

import csv
import io
import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import Person, PersonWord
from apps.domain.values import normalize_id
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.field_mappings.versions import save_version
from apps.integrations.metadata import refresh_metadata
from apps.sync.contexts import context_of
from apps.sync.models import Conversion, RecordLink, RunEntry, RunObject, RunPage, SyncRun
from apps.sync.pull import apply as apply_module
from apps.sync.pull.staging import stage_page
from apps.sync.verdicts import Tally
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

COLUMNS = ("Id", "SystemModstamp", "CreatedDate", "HasOptedOutOfEmail", "IsConverted", "ConvertedContactId", "Email",
           "FirstName", "LastName", "Company", "NumberOfEmployees", "AnnualRevenue", "OwnerId", "Street",
           "Syncline_Lead_Score__c", "ConvertedAccountId")  # fmt: skip
LOCAL = {"Email": "email", "FirstName": "first_name", "LastName": "last_name", "Company": "company_name",
         "NumberOfEmployees": "employees", "AnnualRevenue": "annual_revenue", "OwnerId": "owner", "Street": "street",
         "Syncline_Lead_Score__c": "custom:remote_score"}  # fmt: skip
TEXTS = ["", "Ada", "  padded \t", "Ana Maria", "Jean-Luc", "O'Brien", "a\r\nb", "c\rd", "N/A", "#N/A", "%s", "李",
         "<b>x</b>", "=1+1", "🚀 up", "ZOË", "x" * 300]  # fmt: skip
NUMBERS = ["", "0", "7", "-3", "12.50", "12.505", "1.0E3", "abc", "-0", "007", "99999999999", " 5 ", "1e400"]
EMAILS = ["", "a@example.com", "A@Example.com", " b@example.com ", "c@example.com", "ümlaut@example.com", "no-at-sign"]


def full_id(prefix: str, number: int) -> str:
    return normalize_id(f"{prefix}5e{number:010d}")


def _rows(seed: int) -> list[list[str]]:
    rng = random.Random(seed)
    return [
        [
            full_id("00Q", number), "2026-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z",
            rng.choice(["true", "false", ""]), rng.choice(["false", "false", "true"]), "", rng.choice(EMAILS),
            rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(NUMBERS), rng.choice(NUMBERS),
            rng.choice(["", full_id("005", 1), full_id("005", 77), "junk"]), rng.choice(TEXTS), rng.choice(NUMBERS), "",
        ]
        for number in range(1, 41)
    ]  # fmt: skip


def _csv(rows: list[list[str]]) -> io.BytesIO:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return io.BytesIO(out.getvalue().encode())


def _result(tally: Tally) -> tuple[Any, ...]:
    people = [
        (p.leading_remote_id, p.email, p.first_name, p.last_name, p.company_name, p.employees, p.annual_revenue,
         p.owner_id is None, p.street, p.custom, p.email_opt_out, p.is_active)
        for p in Person.objects.order_by("leading_remote_id")
    ]  # fmt: skip
    links = [
        (
            k.remote_id,
            k.is_leading,
            k.base_remote if k.is_leading else None,
            k.base_local if k.is_leading else None,
            k.opted_out,
        )
        for k in RecordLink.objects.order_by("remote_id")
    ]
    named = {p.pk: p.leading_remote_id for p in Person.objects.all()}
    words = sorted((w.word, named[w.person_id]) for w in PersonWord.objects.all())
    errors = sorted((e.remote_id, e.category, e.field) for e in tally.errors)
    return people, links, words, errors, (tally.created, tally.updated, tally.unchanged, tally.failed)


def _prepare(world: World) -> SyncRun:
    refresh_metadata(world.tenant_id, world.connection.pk)
    with tenant_transaction(world.tenant_id):
        step = SyncStep.objects.get(sobject="Lead")
        FieldMapping.objects.filter(step=step).delete()
        for position, (remote, local) in enumerate(LOCAL.items()):
            FieldMapping.objects.create(
                step=step, position=position, remote_field=remote, local_field=local, is_key=local == "email"
            )
        version = save_version(world.connection)
        run: SyncRun = SyncRun.objects.create(
            connection_id=world.connection.pk, kind="full", mapping_version_id=version.pk
        )
        return run


def _by_sql(world: World, run: SyncRun, rows: list[list[str]], table: str) -> tuple[Any, ...]:
    with tenant_transaction(world.tenant_id):
        RunObject.objects.filter(run=run).delete()
        part = RunObject.objects.create(run=run, position=0, sobject="Lead", label="Leads", columns=list(COLUMNS))
        count = stage_page(table, COLUMNS, _csv(rows))
        page = RunPage.objects.create(run_object=part, number=1, table=table, rows=count)
        return _result(apply_module.apply_page(run, part, page))


def _by_python(world: World, run: SyncRun, rows: list[list[str]]) -> tuple[Any, ...]:
    with tenant_transaction(world.tenant_id):
        stage_page("python_only", COLUMNS, _csv(rows))
        context = context_of(run, "Lead")
        return _result(apply_module._decide_in_python(context, COLUMNS, "python_only", None))


def _by_halves(world: World, run: SyncRun, pages: list[list[list[str]]], rng: random.Random) -> tuple[Any, ...]:
    """The pieces of the pages in some order that two lanes might take."""
    with tenant_transaction(world.tenant_id):
        RunObject.objects.filter(run=run).delete()
        part = RunObject.objects.create(run=run, position=0, sobject="Lead", label="Leads", columns=list(COLUMNS))
        for number, rows in enumerate(pages):
            count = stage_page(f"half_{number}", COLUMNS, _csv(rows))
            RunPage.objects.create(run_object=part, number=number, table=f"half_{number}", rows=count)
        halving = apply_module.halving_of(run, part)
        assert halving is not None
        tally, halves, ended = Tally(), [0, 0], 0
        while ended < len(pages):
            pieces = [half for half in (0, 1) if halves[half] < len(pages)]
            if min(halves) > ended:
                pieces.append(2)
            piece = rng.choice(pieces)
            if piece == 2:
                tally.add(apply_module.end_page(run, part, RunPage.objects.get(number=ended), halving))
                ended += 1
                continue
            page = RunPage.objects.get(number=halves[piece])
            earlier = list(RunPage.objects.filter(number__lt=page.number, is_applied=False))
            apply_module.apply_half(run, part, page, piece, halving, earlier)
            halves[piece] += 1
        return _result(tally)


def _changed_later(row: list[str]) -> list[str]:
    return [row[0], "2026-01-01T00:00:01.000Z", *row[2:7], "Changed", *row[8:]]


def _forget(world: World) -> None:
    with tenant_transaction(world.tenant_id):
        PersonWord.objects.all().delete()
        RecordLink.objects.all().delete()
        Person.objects.all().delete()


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_of_deciding_new_rows_agree(world: World, seed: int) -> None:
    run, rows = _prepare(world), _rows(seed)
    by_sql = _by_sql(world, run, rows, "by_sql")
    _forget(world)
    assert _by_python(world, run, rows) == by_sql


@pytest.mark.parametrize("seed", range(16))
def test_pages_by_halves_come_to_the_same_in_any_order(world: World, seed: int) -> None:
    run, rng = _prepare(world), random.Random(seed)
    rows = [[*row[:6], rng.choice([row[6], f"{rng.randrange(20)}@example.com"]), *row[7:]] for row in _rows(seed)]
    pages = [rows[start : start + 10] for start in range(0, len(rows), 10)]
    people, links, words, _, counts = _by_halves(world, run, pages, rng)
    _forget(world)
    for number, page in enumerate(pages):
        by_wholes = _by_sql(world, run, page, f"whole_{number}")
    assert (people, links, words) == by_wholes[:3]
    assert sum(counts) == len(rows)


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_agree_on_rows_that_are_known(world: World, seed: int) -> None:
    run, rows = _prepare(world), _rows(seed)
    _by_sql(world, run, rows, "first")
    changed = [_changed_later(row) if n % 5 == 0 else row for n, row in enumerate(rows)]
    by_sql = _by_sql(world, run, changed, "second")
    _forget(world)
    _by_sql(world, run, rows, "third")
    assert _by_python(world, run, changed) == by_sql


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_agree_on_leads_that_were_converted(world: World, seed: int) -> None:
    """Of contacts that are here, that are not, and of leads that were linked before."""
    run, rng = _prepare(world), random.Random(seed)
    contacts = [full_id("003", number) for number in range(1, 5)]
    rows = [
        [*row[:4], "true", rng.choice([*contacts, full_id("003", 9), ""]), f"{number}@example.com", *row[7:-1],
         rng.choice([full_id("001", 1), ""])]
        for number, row in enumerate(_rows(seed))
    ]  # fmt: skip
    before = [[*row[:4], "false", "", *row[6:-1], ""] for row in rows[:5]]
    found = []
    for is_sql in (True, False):
        _forget(world)
        with tenant_transaction(world.tenant_id):
            RunEntry.objects.filter(run_id=run.pk).delete()
            Conversion.objects.all().delete()
            for contact in contacts:
                person = Person.objects.create(last_name=contact, leading_sobject="Contact", leading_remote_id=contact)
                RecordLink.objects.create(
                    connection_id=run.connection_id, remote_id=contact, sobject="Contact", person_id=person.pk
                )
        _by_sql(world, run, before, f"before_{is_sql}")
        result = _by_sql(world, run, rows, "after") if is_sql else _by_python(world, run, rows)
        with tenant_transaction(world.tenant_id):
            entries = sorted(RunEntry.objects.filter(run_id=run.pk).values_list("remote_id", "action", "reason"))
            closed = sorted(RecordLink.objects.filter(is_live=False).values_list("remote_id", "is_leading"))
            joined = sorted(Conversion.objects.values_list("lead_id", "account_id", "has_company"))
        people, *others = result
        found.append((sorted(people, key=repr), others, entries, closed, joined))
    assert found[0] == found[1]


def test_another_change_with_the_same_stamp_is_seen_where_it_may_have_come_late(world: World) -> None:
    run, rows = _prepare(world), [row for row in _rows(0) if row[4] == "false"]
    just_now = (timezone.now() - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    rows = [[row[0], just_now, *row[2:6], f"{row[0]}@example.com", *row[7:]] for row in rows]
    _by_sql(world, run, rows, "first")
    _by_sql(world, run, [[*row[:7], "Changed", *row[8:]] for row in rows], "second")
    with tenant_transaction(world.tenant_id):
        assert set(Person.objects.values_list("first_name", flat=True)) == {"Changed"}
