"""Two accounts for random requests: ids of one's own records, and words of the other that must never be seen."""

from typing import Any

from django.utils import timezone

from apps.audience.models import Company, CustomRecordType, Opportunity, Person
from apps.audience.services.custom_fields import create_custom_field
from apps.audience.services.custom_records import create_custom_record
from apps.audience.services.lists import add_to_list, create_list
from apps.audience.services.sequences import create_sequence
from apps.integrations.models import Connection
from apps.sync.models import RunKind, RunState, SyncRun
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction

NEVER = ("Zanzibar", "zanzibar")
"""Everything of the other account is called so."""


def two_accounts(own: Tenant, other: Tenant, connection: Connection) -> dict[str, int]:
    """Fill both accounts; answers the ids of the first by their names in addresses."""
    with tenant_transaction(other.pk):
        _fill("Zanzibar", None)
    with tenant_transaction(own.pk):
        return _fill("Harbour", connection)


def _fill(name: str, connection: Connection | None) -> dict[str, int]:
    company = Company.objects.create(name=f"{name} Works", domain=f"{name.lower()}.example", external_key=f"{name}-c")
    person = Person.objects.create(
        last_name=name, email=f"a@{name.lower()}.example", external_key=f"{name}-p", company=company
    )
    shown = create_list(name=f"{name} list", user=None)
    add_to_list(people=[person], to=shown, origin="manual")
    deal: Any = Opportunity.objects.create(name=f"{name} deal", stage="Won", amount=12)
    field = create_custom_field(record_type="person", label=f"{name} size", kind="integer", user=None)
    kind: Any = CustomRecordType.objects.create(key=name.lower(), label=name, label_plural=f"{name}s")
    record = create_custom_record(record_type=kind, values={"name": name, "person": str(person.pk)}, user=None)
    found = {
        "type_id": kind.pk,
        "record_id": record.pk,
        "person_id": person.pk,
        "company_id": company.pk,
        "list_id": shown.pk,
        "opportunity_id": deal.pk,
        "sequence_id": create_sequence(name=f"{name} sequence", user=None).pk,
        "field_id": field.pk,
    }
    if connection is None:
        return found
    run: SyncRun = SyncRun.objects.create(connection_id=connection.pk, kind=RunKind.FULL, state=RunState.COMPLETED)
    record_errors(
        [ErrorFact(category="row_locked", message=name)], connection_id=connection.pk, run_id=run.pk, at=timezone.now()
    )
    return found | {"run_id": run.pk, "error_id": SyncError.objects.get().pk}
