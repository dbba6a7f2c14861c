"""What goes out beside changes of records, part by part, when those are through."""

from datetime import datetime

from apps.sync.push.activities import next_activity_due, tell_activities
from apps.sync.push.claims import next_due
from apps.sync.push.command_work import next_command_due
from apps.sync.push.commands import command_round
from apps.sync.push.errands import Errand
from apps.sync.push.members import are_told, next_member_due, tell_members
from apps.sync_settings.models import SyncSettings


def next_work_due(settings: SyncSettings) -> datetime | None:
    """When anything of a push is due: a change of a record, or what another part carries."""
    told = next_member_due() if are_told(settings) else None
    parts = (next_due(), next_command_due(), next_activity_due(), told)
    return min((at for at in parts if at is not None), default=None)


def work_on_parts(errand: Errand) -> bool:
    """Do the next piece of what is due beside changes of records; False where nothing is."""
    if command_round(errand.hold, errand.gateway) or tell_activities(errand):
        return True
    return are_told(errand.settings) and tell_members(errand)
