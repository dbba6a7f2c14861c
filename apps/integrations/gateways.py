"""The one place that hands out the gateway to an org."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from apps.integrations.models import Connection
from apps.integrations.tokens import ConnectionTokens
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.session import CallRecord, Usage
from apps.tenants.scope import current_tenant_id, tenant_transaction

Gateway = SalesforceGateway
"""The gateway as the engine names it: the layers above do not import ``apps.salesforce``."""

_COUNT = """
INSERT INTO integrations_apiusage AS u (tenant_id, connection_id, hour, purpose, calls, failures, bytes_in)
VALUES (%s, %s, date_trunc('hour', %s::timestamptz, 'UTC'), %s, %s, %s, %s)
ON CONFLICT (tenant_id, connection_id, hour, purpose) DO UPDATE
SET calls = u.calls + excluded.calls, failures = u.failures + excluded.failures,
    bytes_in = u.bytes_in + excluded.bytes_in
"""


@dataclass
class _Ledger:
    """Calls made since the last flush."""

    calls: int = 0
    failures: int = 0
    bytes_in: int = 0
    usage: Usage | None = None

    def add(self, call: CallRecord) -> None:
        self.calls += 1
        self.failures += call.status == 0 or call.status >= 400
        self.bytes_in += call.bytes_in
        self.usage = call.usage or self.usage


@contextmanager
def open_gateway(tenant_id: int, connection_id: int, *, purpose: str = "") -> Iterator[SalesforceGateway]:
    """The gateway of a connection, used outside transactions; its calls are counted at the end, for the lane that
    is named as their purpose."""
    with tenant_transaction(tenant_id):
        row = Connection.objects.get(id=connection_id)
    ledger = _Ledger()
    gateway = SalesforceGateway(
        instance_url=row.instance_url,
        api_version=row.api_version,
        tokens=ConnectionTokens(tenant_id, connection_id),
        trusted_hosts=settings.SALESFORCE_TRUSTED_HOSTS,
        on_call=ledger.add,
    )
    try:
        yield gateway
    finally:
        gateway.close()
        with tenant_transaction(tenant_id):
            _flush(connection_id, ledger, purpose)


def _flush(connection_id: int, ledger: _Ledger, purpose: str) -> None:
    if not ledger.calls:
        return
    now = timezone.now()
    with database.cursor() as cursor:
        counted = [ledger.calls, ledger.failures, ledger.bytes_in]
        cursor.execute(_COUNT, [current_tenant_id(), connection_id, now, purpose, *counted])
    if ledger.usage is not None:
        Connection.objects.filter(id=connection_id).update(
            api_used=ledger.usage.used, api_allowed=ledger.usage.allowed, api_seen_at=now
        )
