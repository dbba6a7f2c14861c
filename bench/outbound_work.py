"""The tenant that the outbound bench pushes from."""

import time
from typing import Any

from django.db import connection as database
from django.utils import timezone

from apps.core.queue import wake
from apps.domain.ports import WriteOperation
from apps.outbox.models import OutboundChange
from apps.outbox.queue import PUSH_TASK, ring
from apps.sync.models import RecordLink
from apps.sync.tasks import tick
from apps.tenants.scope import tenant_transaction
from bench.tenant import BenchTenant
from emulator.control import EmulatorControl

_CHANGE = """
WITH changed AS (
  UPDATE audience_person SET title = %(title)s || id, version = version + 1
  WHERE tenant_id = %(tenant)s AND leading_sobject = 'Lead' RETURNING id)
INSERT INTO outbox_outboundchange (tenant_id, local_type, local_id, fields, queued_at, due_at)
SELECT %(tenant)s, 'person', id, jsonb_build_object('title', jsonb_build_object('at', %(now)s::text, 'origin', 'user')),
  %(now)s, %(now)s FROM changed
ON CONFLICT (tenant_id, local_type, local_id) DO UPDATE
SET fields = excluded.fields, state = 'waiting', due_at = excluded.due_at
"""


class Outbound:
    """One tenant whose people are leads, every mapping both ways."""

    def __init__(self, emulator: EmulatorControl, org_id: str) -> None:
        self.emulator, self.org_id = emulator, org_id
        self.tenant = BenchTenant(emulator, org_id)
        self.tenant.both_ways()
        self.tenant.full_sync()

    def change(self, title: str) -> int:
        """Somebody changes the title of every person who is a lead; answers how many."""
        now = timezone.now()
        with tenant_transaction(self.tenant.tenant_id), database.cursor() as cursor:
            facts: dict[str, Any] = {"tenant": self.tenant.tenant_id, "title": title, "now": now.isoformat()}
            cursor.execute(_CHANGE, facts)
            return int(cursor.rowcount)

    def begin(self) -> None:
        """What the request that changed them would do at its end."""
        with tenant_transaction(self.tenant.tenant_id):
            ring(at=timezone.now())
            wake(PUSH_TASK, self.tenant.tenant_id, queue="routine")

    def wait(self, at_most: int = 0, *, ticking: bool = False) -> None:
        """Until no more than so many changes wait; ``ticking`` does what beat does, more often."""
        while True:
            with tenant_transaction(self.tenant.tenant_id):
                if OutboundChange.objects.count() <= at_most:
                    return
            if ticking:
                tick()
            time.sleep(0.2)

    def bare(self, title: str) -> float:
        """Seconds for the same calls without anything around them."""
        with tenant_transaction(self.tenant.tenant_id):
            ids = list(RecordLink.objects.filter(sobject="Lead", is_leading=True).values_list("remote_id", flat=True))
        began = time.monotonic()
        with self.tenant.gateway() as gateway:
            gateway.read("Lead", ids, ["Id", "Title", "SystemModstamp", "LastName", "Email"])
            records = ({"Id": remote_id, "Title": title} for remote_id in ids)
            written = sum(result.is_success for result in gateway.write("Lead", WriteOperation.UPDATE, records))
        assert written, "nothing was written"
        return time.monotonic() - began

    def differing(self, title: str) -> int:
        """How many leads do not hold what was meant; a converted one is never written."""
        rows = self.emulator.query(
            self.org_id, "SELECT Id, Title FROM Lead WHERE IsConverted = false", include_deleted=False
        )
        with tenant_transaction(self.tenant.tenant_id):
            links = dict(
                RecordLink.objects.filter(sobject="Lead", is_leading=True).values_list("remote_id", "person_id")
            )
        return sum(row["Title"] != f"{title}{links[row['Id']]}" for row in rows if row["Id"] in links)
