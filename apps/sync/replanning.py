"""The mappings of a run. They are frozen when its work begins; when they change in the middle, one whose field or
object is gone or hidden pauses, and the others go on; a push, whose changes come all the time, takes new ones up."""

from apps.field_mappings.versions import save_version
from apps.integrations.metadata import refresh_metadata
from apps.integrations.models import Connection
from apps.sync.lanes import Hold
from apps.sync.models import RunState, SyncRun
from apps.tenants.scope import tenant_transaction


def run_to_advance(hold: Hold) -> SyncRun | None:
    """The run that a lane goes on with, which has the mappings of the moment at which its work began; None where it is
    to stop."""
    with tenant_transaction(hold.tenant_id):
        run: SyncRun = SyncRun.objects.get(id=hold.run_id)
        if run.state != RunState.RUNNING:
            return None
        if run.mapping_version_id is None:
            take_mappings(hold, run, Connection.objects.get(id=run.connection_id))
    return run


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
    """Give a run the mappings as they are now, in the open transaction. A push that has waited, or broken off, would be
    done with the change of a field that it never heard of."""
    version = save_version(connection)
    if version.pk != run.mapping_version_id:
        hold.check()
        run.mapping_version_id = version.pk
        run.save(update_fields=["mapping_version_id"])
