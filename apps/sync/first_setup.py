"""What a new connection starts with, and having the org looked at again."""

from apps.field_mappings.needs import note_needed_fields
from apps.field_mappings.setup import seed_custom_profile, seed_default_profile
from apps.integrations.models import Connection, JobKind
from apps.integrations.services.connections import queue_job
from apps.sync_settings.services import settings_of
from apps.tenants.models import User


def set_up(*, connection: Connection, user: User | None) -> None:
    """Paused settings, the Custom profile inbound only (A09), and the first look at the org."""
    settings_of(connection)
    seed_custom_profile(connection)
    seed_default_profile(connection)
    ask_again(connection=connection, user=user)


def ask_again(*, connection: Connection, user: User | None) -> None:
    """Queue the pre-flight, which reads metadata first; the fields in use now are the ones it checks."""
    note_needed_fields(connection)
    queue_job(connection=connection, kind=JobKind.PREFLIGHT, user=user)
