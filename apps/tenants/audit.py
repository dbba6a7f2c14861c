"""``audit()``: every service that changes configuration calls it in the transaction of the change."""

from collections.abc import Mapping
from typing import Any

from apps.tenants.actors import Actor
from apps.tenants.models import AuditEntry

_LONGEST_SUBJECT = 120


def audit(
    *,
    actor: Actor | None,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write down a change of the open tenant's configuration; of two mappings only what differs is kept."""
    old, new = dict(before or {}), dict(after or {})
    same = {key for key in old.keys() & new.keys() if old[key] == new[key]}
    entry: AuditEntry = AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        actor_label=actor.email if actor else "Syncline",
        action=action,
        subject=subject[:_LONGEST_SUBJECT],
        before={key: value for key, value in old.items() if key not in same},
        after={key: value for key, value in new.items() if key not in same},
    )
    return entry
