"""Erasing a person: nothing that names them is left anywhere, and nothing brings them back (I06, INV-25, F81)."""

import io
from typing import Any

import pytest
from django.apps import apps
from django.db import connection as database
from django.utils import timezone

from apps.audience.models import Erasure, EventKind, List, ListMembership, Person, Tombstone
from apps.audience.services.engagements import EventState, record_engagements
from apps.audience.services.erasures import PersonErased, allow_again, erasure_of
from apps.audience.services.event_drafts import EventDraft
from apps.audience.services.people import create_person, set_opt_out, update_person
from apps.domain.webhooks import WebhookEvent
from apps.imports.models import Import, ImportPiece, ImportProblem
from apps.imports.services import upload
from apps.notifications.models import EndpointKind
from apps.notifications.webhooks.emitting import emit
from apps.notifications.webhooks.endpoints import create_endpoint
from apps.sync.erasing import LOGS, erase_person
from apps.sync.erasing_walk import advance_erasure
from apps.sync.models import ErasureJob, RunObject
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import TenantModel
from apps.tenants.scope import tenant_transaction
from tests.imports.world import Importing
from tests.sync.conftest import connection, emulator, emulator_process, org, user, world
from tests.sync.world import World

__all__ = ["connection", "emulator", "emulator_process", "org", "user", "world"]

ADA = "ada.lovelace@example.com"


def person(world: World, email: str = ADA) -> Person:
    with tenant_transaction(world.tenant_id):
        found: Person = Person.objects.get(email=email)
        return found


def erase_at_once(world: World, email: str = ADA) -> Erasure:
    """What the request does."""
    with tenant_transaction(world.tenant_id):
        return erase_person(person=Person.objects.get(email=email), user=world.user)


def erase(world: World, email: str = ADA) -> Erasure:
    """All of it."""
    erasure = erase_at_once(world, email)
    walk(world)
    with tenant_transaction(world.tenant_id):
        erasure.refresh_from_db()
    return erasure


def jobs(world: World) -> list[ErasureJob]:
    with tenant_transaction(world.tenant_id):
        return list(ErasureJob.objects.order_by("id"))


def walk(world: World) -> None:
    """Let workers look for traces until nothing is left to do."""
    for _ in range(200):
        for job in jobs(world):
            advance_erasure(world.tenant_id, job.pk)
        if not jobs(world):
            return
    raise AssertionError("It does not come to its end.")


def emails(world: World) -> list[str]:
    with tenant_transaction(world.tenant_id):
        return sorted(Person.objects.values_list("email", flat=True))


def mentions(world: World, *identifiers: str) -> list[str]:
    """Every text and JSON column of every tenant table in which one of these stands."""
    found = []
    with tenant_transaction(world.tenant_id), database.cursor() as cursor:
        for model in apps.get_models():
            if not issubclass(model, TenantModel):
                continue
            table = model._meta.db_table
            for identifier in identifiers:
                cursor.execute(
                    f"SELECT count(*) FROM {table} t WHERE strpos(lower(to_jsonb(t)::text), %s) > 0",
                    [identifier.lower()],
                )
                if cursor.fetchone()[0]:
                    found.append(f"{table}: {identifier}")
        cursor.execute("SELECT encode(data, 'escape') FROM imports_importpiece")
        stored = "".join(row[0] for row in cursor.fetchall()).lower()
    return found + [f"stored file: {one}" for one in identifiers if one.lower() in stored]


@pytest.fixture
def busy(world: World) -> tuple[World, list[str]]:
    """A tenant in which Ada has left her traces wherever somebody can; gives her identifiers."""
    lead = world.lead(Email=ADA, FirstName="Ada", LastName="Lovelace")
    world.lead(Email="other@example.com")
    world.sync()
    world.change("Lead", lead, Title="Countess")
    world.poll()
    world.both_ways("Lead")
    ada = person(world)
    with tenant_transaction(world.tenant_id):
        create_endpoint(
            name="x", kind=EndpointKind.WEBHOOK, url="https://x.example", events=list(WebhookEvent), with_bulk=True,
            user=world.user,
        )  # fmt: skip
        emit(WebhookEvent.ERROR_OPENED, {"errors": [{"salesforce_id": lead}]}, key="e")
        ada = update_person(person=ada, values={"title": "Queen"}, seen_version=ada.version, user=world.user)
        set_opt_out(person=ada, opted_out=True, source=f"Mail from {ADA}", user=world.user)
        fair: Any = List.objects.create(name="Fair")
        ListMembership.objects.create(list=fair, person=ada)
        record_engagements(
            events=[EventDraft(kind=EventKind.FORM_SUBMITTED, person_id=ada.pk, happened_at=timezone.now(),
                               details={"email": ADA})],
            origin="api",
        )  # fmt: skip
        record_errors(
            [
                ErrorFact("duplicate_detected", f"Like {ADA}", "Lead", lead, "person", ada.pk, "Ada Lovelace"),
                ErrorFact("ambiguous_match", "Several fit", "Lead", "00Q9", details={"candidates": [{"id": ada.pk}]}),
            ],
            connection_id=world.connection.pk, run_id=None, at=timezone.now(),
        )  # fmt: skip
        done: Any = Import.objects.create(record_type="person", filename="old.csv", actor_label="x")
        ImportProblem.objects.create(source=done, row=2, reason="no", cells=[f" {ADA.upper()} "])
        text = f"email,name\nother@example.com,O\n{ADA},Ada\nlast@example.com,L\n".encode()
        upload(record_type="person", filename="new.csv", source=io.BytesIO(text), size=len(text), user=world.user)
    world.push()
    world.edit(person(world), title="Empress")
    return world, [ADA, lead]


def test_no_table_names_the_person_afterwards(busy: tuple[World, list[str]]) -> None:
    world, names = busy
    assert mentions(world, *names), "she has left traces"
    erase(world)
    assert mentions(world, *names) == []
    assert emails(world) == ["other@example.com"]
    with tenant_transaction(world.tenant_id):
        assert Tombstone.objects.count() == 2
        assert Erasure.objects.get().counts["audience_listmembership"] == 1
        assert ImportPiece.objects.count() == 1


def test_others_keep_what_is_theirs(busy: tuple[World, list[str]]) -> None:
    world, _ = busy
    with tenant_transaction(world.tenant_id):
        Person.objects.filter(email="other@example.com").update(description=f"Knows {ADA}")
        before = Person.objects.get(email="other@example.com")
    erase(world)
    after = person(world, "other@example.com")
    assert (after.description, after.leading_remote_id) == (f"Knows {ADA}", before.leading_remote_id)


def test_every_log_that_is_named_is_a_table() -> None:
    tables = {model._meta.db_table for model in apps.get_models()}
    assert tables >= LOGS.keys()


@pytest.mark.parametrize("way", ["full", "poll", "sweep"])
def test_no_sync_brings_the_person_back(world: World, way: str) -> None:
    lead = world.lead(Email=ADA, LastName="Lovelace")
    world.lead(Email="other@example.com")
    world.sync()
    erase(world)
    world.change("Lead", lead, Title="Countess")
    world.lead(Email=ADA.upper(), LastName="Twin")
    run = {"full": world.sync, "poll": world.poll, "sweep": world.sweep}[way]()
    assert emails(world) == ["other@example.com"]
    if way != "sweep":
        with tenant_transaction(world.tenant_id):
            part = RunObject.objects.get(run=run, sobject="Lead")
        assert part.skip_reasons.get("erased") == 2
        assert part.read == (3 if way == "full" else part.read)
    assert mentions(world, ADA) == []


def test_person_erased_while_a_full_sync_has_their_row_staged_does_not_return(world: World) -> None:
    world.lead(Email=ADA, LastName="Lovelace")
    world.sync()
    run = world.start()
    for _ in range(6):  # fetched and staged, not applied
        world.finish_lane(run, "fetch")
    erase(world)
    world.finish(run)
    assert emails(world) == []
    assert mentions(world, ADA) == []


def test_person_erased_while_a_write_is_on_its_way_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.both_ways("Lead")
    world.sync()
    made = world.add_person(email=ADA, last_name="Lovelace", company_name="Engines")

    def erased_meanwhile(name: str) -> None:
        if name == "written":
            monkeypatch.undo()
            erase(world)

    monkeypatch.setattr("apps.sync.push.writing.crash.point", erased_meanwhile)
    world.push()
    assert emails(world) == []
    world.poll()
    assert emails(world) == []
    assert mentions(world, ADA) == []
    assert made.pk


def test_no_file_event_or_form_brings_the_person_back(world: World) -> None:
    importing = Importing.__new__(Importing)
    importing.tenant_id, importing.user = world.tenant_id, world.user
    world.lead(Email=ADA, LastName="Lovelace")
    world.lead(Email="other@example.com")
    world.sync()
    waiting = importing.start(importing.upload(f"email\n{ADA}\nnew@example.com\n"))
    erasure = erase(world)
    row = importing.finish(waiting)
    assert importing.counts(row) == (1, 0, 0, 1, 0)
    row = importing.run(f"email,title\n{ADA.upper()},x\n")
    assert row.skip_reasons == {"erased": 1}
    event = EventDraft(kind=EventKind.PAGE_VISITED, email=ADA, happened_at=timezone.now(), creates=True)
    with tenant_transaction(world.tenant_id):
        (outcome,) = record_engagements(events=[event], origin="api")
        assert outcome.state == EventState.REFUSED
        assert "erased on request" in outcome.words
        with pytest.raises(PersonErased):
            create_person(values={"email": ADA}, user=None)
        other = Person.objects.get(email="other@example.com")
        with pytest.raises(PersonErased):
            update_person(person=other, values={"email": ADA}, seen_version=other.version, user=None)
        found = erasure_of(ADA.upper())
        assert found == erasure
        assert erasure_of("nobody@example.com") is None
        allow_again(erasure=erasure, user=world.user)
        create_person(values={"email": ADA}, user=None)
    assert ADA in emails(world)


def test_marks_are_of_one_tenant_only(world: World, other_tenant: Any) -> None:
    world.lead(Email=ADA, LastName="Lovelace")
    world.sync()
    erase(world)
    with tenant_transaction(other_tenant.pk):
        create_person(values={"email": ADA}, user=None)
        assert Person.objects.count() == 1
