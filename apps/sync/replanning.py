"""When mappings change in the middle of a run: one whose field or object is gone or hidden pauses, and the others go
on; a push, whose changes come all the time, takes new ones up."""

from apps.field_mappings.versions import save_version
from apps.integrations.metadata import refresh_metadata
from apps.integrations.models import Connection
from apps.sync.lanes import Hold
from apps.sync.models import SyncRun
from apps.tenants.scope import tenant_transaction


def plan_anew(hold: Hold) -> None:
    """Read the describes again, and let the run go on with the mappings that fit them. Outside transactions."""
    with tenant_transaction(hold.tenant_id):
        connection_id = SyncRun.objects.get(id=hold.run_id).connection_id
    refresh_metadata(hold.tenant_id, connection_id)
    with tenant_transaction(hold.tenant_id):
        hold.check()
        version = save_version(Connection.objects.get(id=connection_id))
        SyncRun.objects.filter(id=hold.run_id).update(mapping_version_id=version.pk)


def take_mappings(hold: Hold, run: SyncRun, connection: Connection) -> None:
    """Give a push the mappings as they are now, in the open transaction. One that has waited, or broken off, would be
    done with the change of a field that it never heard of."""
    version = save_version(connection)
    if version.pk != run.mapping_version_id:
        hold.check()
        run.mapping_version_id = version.pk
        run.save(update_fields=["mapping_version_id"])
