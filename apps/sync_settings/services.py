"""Reading and saving sync settings."""

from typing import Any

from django.db.models import F

from apps.integrations.models import Connection
from apps.sync_settings.models import SyncSettings
from apps.tenants.audit import audit
from apps.tenants.models import User


class SettingsMoved(Exception):
    """Somebody else saved the settings since this form was opened."""


def settings_of(connection: Connection) -> SyncSettings:
    """The connection's settings, with everything paused where they are new (A09)."""
    row, _ = SyncSettings.objects.get_or_create(connection=connection)
    found: SyncSettings = row
    _follow_detection(found, connection)
    return found


def _follow_detection(row: SyncSettings, connection: Connection) -> None:
    """Until somebody saves the settings, person accounts and Campaigns are as the org's describes say (B03, B04)."""
    if row.version > 1 or connection.metadata_at is None:
        return
    detected = (connection.has_person_accounts, not connection.has_campaigns)
    if (row.person_accounts, row.group_edition) != detected:
        row.person_accounts, row.group_edition = detected
        row.save(update_fields=["person_accounts", "group_edition", "updated_at"])


def save_settings(*, connection: Connection, user: User, seen_version: int, values: dict[str, Any]) -> SyncSettings:
    """Save changed values as a new version; raises SettingsMoved where the form is older than the row."""
    row = SyncSettings.objects.select_for_update().get(connection=connection)
    if row.version != seen_version:
        raise SettingsMoved
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    audit(actor=user, action="settings_changed", subject="Sync settings", before=before, after=values)
    saved: SyncSettings = row
    return saved


def enable_syncs(*, connection: Connection, user: User) -> None:
    """Switch "Syncs Enabled" on."""
    changed = SyncSettings.objects.filter(connection=connection, syncs_enabled=False).update(
        syncs_enabled=True, version=F("version") + 1
    )
    if changed:
        audit(
            actor=user,
            action="settings_changed",
            subject="Sync settings",
            before={"syncs_enabled": False},
            after={"syncs_enabled": True},
        )
