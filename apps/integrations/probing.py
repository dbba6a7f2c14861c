"""Probes: a paused org is asked with one call whether it answers again."""

from dataclasses import dataclass

from django.utils import timezone

from apps.domain.budget import PROBE_EVERY
from apps.domain.failures import Failure
from apps.integrations.gateways import open_gateway
from apps.integrations.health import Proof, healthy, note_failure
from apps.integrations.models import Connection, HealthCause
from apps.tenants.scope import tenant_transaction


@dataclass(frozen=True, slots=True)
class _Due:
    """A probe in our hands."""

    cause: str


def probe(tenant_id: int, connection_id: int) -> bool:
    """End a pause whose time has come; answers whether it has ended.

    At most one call per fifteen minutes: the next probe is put off before this one asks. A pause for our own share
    of the calls ends by the clock, without a call.
    """
    due = _claim(tenant_id, connection_id)
    if due is None:
        return False
    if due.cause == HealthCause.ORG_LIMIT and not _has_calls(tenant_id, connection_id):
        return False
    with tenant_transaction(tenant_id):
        healthy(connection_id=connection_id, proof=Proof.BUDGET)
    return True


def _claim(tenant_id: int, connection_id: int) -> _Due | None:
    now = timezone.now()
    with tenant_transaction(tenant_id):
        row = Connection.objects.select_for_update(skip_locked=True).filter(id=connection_id).first()
        if row is None or not row.is_usable or row.probe_due_at is None or row.probe_due_at > now:
            return None
        row.probe_due_at = row.resumes_at = now + PROBE_EVERY
        row.save(update_fields=["probe_due_at", "resumes_at"])
        return _Due(row.health_cause)


def _has_calls(tenant_id: int, connection_id: int) -> bool:
    """Ask the org's limits. A refusal, or an outage, leaves the pause as it is."""
    try:
        with open_gateway(tenant_id, connection_id) as gateway:
            usage = gateway.limits()
    except Failure as failure:
        with tenant_transaction(tenant_id):
            note_failure(connection_id=connection_id, failure=failure)
        return False
    return usage is None or usage.used < usage.allowed
