"""Reading and saving sync settings."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.audience.services.task_switches import set_task_kinds
from apps.integrations.models import Connection
from apps.notifications.services import set_recipients
from apps.outbox.queue import ring
from apps.sync_settings.budget import note_standing, standing_of
from apps.sync_settings.models import SyncSettings
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

_RINGS = frozenset({"syncs_enabled", "sync_members", "group_edition", "push_automatically", "api_share_percent"})
"""Settings whose change may let go out what waits."""


class SettingsMoved(Exception):
    """Somebody else saved the settings since this form was opened."""


def settings_of(connection: Connection) -> SyncSettings:
    """The connection's settings, with everything paused where they are new (A09)."""
    row, is_new = SyncSettings.objects.get_or_create(
        connection=connection, defaults={"notification_recipients": lambda: _first_recipient(connection)}
    )
    found: SyncSettings = row
    if is_new:
        set_recipients(addresses=found.recipients)
    _follow_detection(found, connection)
    return found


def _first_recipient(connection: Connection) -> str:
    """Until somebody says otherwise, who connected is told."""
    return connection.connected_by.email if connection.connected_by is not None else ""


def _follow_detection(row: SyncSettings, connection: Connection) -> None:
    """Until somebody saves the settings, person accounts and Campaigns are as the org's describes say (B03, B04)."""
    if row.version > 1 or connection.metadata_at is None:
        return
    detected = (connection.has_person_accounts, not connection.has_campaigns)
    if (row.person_accounts, row.group_edition) != detected:
        row.person_accounts, row.group_edition = detected
        row.save(update_fields=["person_accounts", "group_edition", "updated_at"])


def save_settings(*, connection: Connection, user: Actor, seen_version: int, values: dict[str, Any]) -> SyncSettings:
    """Save changed values as a new version; raises SettingsMoved where the form is older than the row. What waits
    for Salesforce is looked at again, and a pause that the new share does not justify ends."""
    row = SyncSettings.objects.select_for_update().get(connection=connection)
    if row.version != seen_version:
        raise SettingsMoved
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    audit(actor=user, action="settings_changed", subject="Sync settings", before=before, after=values)
    set_recipients(addresses=row.recipients)
    set_task_kinds(kinds=row.task_kinds)
    if any(values.get(name, old) != old for name, old in before.items() if name in _RINGS):
        now = timezone.now()
        ring(at=now)
        fresh = Connection.objects.get(id=connection.pk)
        note_standing(connection=fresh, standing=standing_of(fresh, row, now=now))
    saved: SyncSettings = row
    return saved


def enable_syncs(*, connection: Connection, user: Actor) -> None:
    """Switch "Syncs Enabled" on; what has waited goes out."""
    changed = SyncSettings.objects.filter(connection=connection, syncs_enabled=False).update(
        syncs_enabled=True, version=F("version") + 1
    )
    if changed:
        ring(at=timezone.now())
        audit(
            actor=user,
            action="settings_changed",
            subject="Sync settings",
            before={"syncs_enabled": False},
            after={"syncs_enabled": True},
        )
