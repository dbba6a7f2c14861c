"""A tenant of the bench: connected by a grant, with the bench's own mappings."""

import time
from typing import Any

from django.conf import settings

from apps.core.db import app_transaction
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.gateways import open_gateway
from apps.integrations.grants import connection_from_grant
from apps.sync.models import RunObject, RunState, SyncRun
from apps.sync.services import start_full_sync
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant
from emulator.control import EmulatorControl


class BenchTenant:
    """With ``fields`` its only step is Lead → person with these; without, it has the profile of a new connection."""

    def __init__(
        self, emulator: EmulatorControl, org_id: str, fields: tuple[tuple[str, str], ...] = (), name: str = "bench"
    ) -> None:
        with app_transaction():
            user = User.objects.create_user(f"{name}@example.com", "bench", name="Bench")
        self.user, self.fields = user, fields
        self.tenant_id = create_tenant(name=name, owner=user).pk
        with tenant_transaction(self.tenant_id):
            self.connection = connection_from_grant(
                answer=emulator.grant(org_id), login_url=settings.SALESFORCE_LOGIN_URL, username="bench", user=user
            )
            profile = seed_custom_profile(self.connection)
            if not fields:
                return
            SyncStep.objects.filter(profile=profile).exclude(sobject="Lead").delete()
            step = SyncStep.objects.get(profile=profile)
            FieldMapping.objects.filter(step=step).delete()
            for position, (remote, local) in enumerate(fields):
                FieldMapping.objects.create(
                    step=step, position=position, remote_field=remote, local_field=local, is_key=local == "email"
                )

    def full_sync(self) -> tuple[float, float]:
        """Seconds of a whole run, and seconds until the Bulk job was ready."""
        began = time.monotonic()
        with tenant_transaction(self.tenant_id):
            run = start_full_sync(connection=self.connection, user=self.user, turn_on=True)
        ready = 0.0
        while True:
            time.sleep(0.1)
            with tenant_transaction(self.tenant_id):
                state = SyncRun.objects.get(id=run.pk).state
                lead = RunObject.objects.filter(run=run, sobject="Lead").first()
            if not ready and lead is not None and lead.expected is not None:
                ready = time.monotonic() - began
            if state == RunState.COMPLETED:
                return time.monotonic() - began, ready
            if state in {RunState.FAILED, RunState.CANCELLED}:
                raise RuntimeError(f"The run ended as {state}.")

    def both_ways(self) -> None:
        """Every mapping goes both ways."""
        with tenant_transaction(self.tenant_id):
            SyncStep.objects.update(direction="two_way", create_remote=True, update_remote=True)
            FieldMapping.objects.update(way_in="overwrite", way_out="overwrite", winner="local")

    def last_lead_object(self) -> Any:
        """Columns and question of the latest run."""
        with tenant_transaction(self.tenant_id):
            return RunObject.objects.filter(sobject="Lead").order_by("-id").first()

    def gateway(self) -> Any:
        """The gateway, as the engine gets it."""
        return open_gateway(self.tenant_id, self.connection.pk)
