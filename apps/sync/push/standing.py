"""Who stands for a person in Salesforce: the leading lead or contact, and the contact that a lead has become."""

from collections.abc import Collection, Sequence

from apps.audience.models import Person
from apps.domain.ports import ObjectSchema
from apps.sync.push.errands import Errand
from apps.tenants.scope import tenant_transaction

_FIELDS = ("Id", "IsConverted", "ConvertedContactId")


def people_in_salesforce(errand: Errand, people: Collection[int]) -> dict[int, tuple[str, str]]:
    """(sObject, id) by person. Leads are looked at: one that was converted is its contact by now, one that is gone is
    left out."""
    if not people:
        return {}
    with tenant_transaction(errand.hold.tenant_id):
        found = Person.objects.filter(id__in=people, leading_sobject__in=["Lead", "Contact"])
        listed = list(found.values_list("id", "leading_sobject", "leading_remote_id"))
        schema = errand.schema("Lead")
    leads = sorted({remote_id for _, sobject, remote_id in listed if sobject == "Lead"})
    present = _leads(errand, leads, schema) if leads and schema is not None else {}
    standing = {pk: (sobject, remote_id) for pk, sobject, remote_id in listed if sobject == "Contact"}
    return standing | {pk: present[remote_id] for pk, _, remote_id in listed if remote_id in present}


def _leads(errand: Errand, leads: Sequence[str], schema: ObjectSchema) -> dict[str, tuple[str, str]]:
    rows = errand.gateway.read("Lead", leads, [name for name in _FIELDS if name in schema.fields])
    found = {}
    for lead, row in rows.items():
        contact = str(row.get("ConvertedContactId") or "")
        if not row.get("IsConverted"):
            found[lead] = ("Lead", lead)
        elif contact:
            found[lead] = ("Contact", contact)
    return found
