"""What tests of writing have in common: people that are changed here, and what has come of it."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.audience.models import Person
from apps.outbox.queue import queue_change
from apps.sync.models import RunEntry, WriteIntent
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

COLLECTIONS = "/composite/sobjects"


def ada(world: World, **values: Any) -> tuple[str, Person]:
    """A lead that is synced and lies a minute back in the org's time."""
    lead = world.lead(**{"Email": "ada@example.com", "FirstName": "Ada", "LastName": "Byron"} | values)
    world.sync()
    world.later(60)
    return lead, world.person(lead)


def many_leads(world: World, count: int) -> list[str]:
    world.emulator.seed(world.org.org_id, seed=9, leads=count + count // 5)
    world.sync()
    rows = world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE IsConverted = false")
    return [str(row["Id"]) for row in rows][:count]


def rename_all(world: World, names: dict[str, str]) -> None:
    """Somebody changes the last names of many people here, by remote id."""
    now = timezone.now()
    with tenant_transaction(world.tenant_id):
        for remote_id, name in names.items():
            person = Person.objects.get(leading_remote_id=remote_id)
            Person.objects.filter(id=person.pk).update(last_name=name, version=F("version") + 1)
            queue_change(local_type="person", local_id=person.pk, fields=["last_name"], origin="user", at=now)


def last_names(world: World) -> dict[str, str]:
    rows = world.emulator.query(world.org.org_id, "SELECT Id, LastName FROM Lead")
    return {row["Id"]: row["LastName"] for row in rows}


def open_intents(world: World) -> int:
    with tenant_transaction(world.tenant_id):
        return int(WriteIntent.objects.filter(closed_at__isnull=True).count())


def history_of_names(world: World) -> list[dict[str, Any]]:
    """The lines of the log about last names, oldest first."""
    with tenant_transaction(world.tenant_id):
        entries = RunEntry.objects.exclude(changes=None).order_by("number")
        return [entry.changes["last_name"] for entry in entries if "last_name" in (entry.changes or {})]


def is_settled(world: World) -> bool:
    """Nothing waits, nothing is open, nobody is asked for anything."""
    return world.waiting() == [] and open_intents(world) == 0 and world.live_errors() == []


def writing_calls(world: World) -> int:
    return sum(call["method"] == "PATCH" for call in world.emulator.calls(COLLECTIONS + "$", world.org.org_id))
