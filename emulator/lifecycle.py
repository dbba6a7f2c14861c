"""Merging and converting: what happens to several rows at once."""

from emulator.errors import refused
from emulator.org import Org
from emulator.records import Writer
from emulator.rules import Author, existing

_TO_CONTACT = ("FirstName", "LastName", "Salutation", "Title", "Phone", "MobilePhone", "Fax", "Email", "LeadSource",
               "Description", "OwnerId", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")  # fmt: skip
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")


def merge(org: Org, author: Author, name: str, master_id: str, loser_ids: list[str]) -> str:
    """The losers are deleted with MasterRecordId, what hung on them moves to the master (facts.md, section 6)."""
    sobject = org.schema.find(name)
    if sobject is None or "m" not in sobject.flags:
        raise refused("INVALID_TYPE", f"entity type {name} cannot be merged")
    stamp = author.stamp or org.stamp()
    with org.store.transaction():
        master = existing(org, author, sobject, master_id)
        for loser_id in loser_ids:
            loser = existing(org, author, sobject, loser_id)
            org.store.update(
                sobject.name,
                loser["Id"],
                {
                    "IsDeleted": "true",
                    "MasterRecordId": master["Id"],
                    "SystemModstamp": stamp,
                    "LastModifiedDate": stamp,
                    "LastModifiedById": author.user_id,
                },
            )
            _move_children(org, sobject.name, loser["Id"], master["Id"], stamp)
        touched = {"LastModifiedDate": stamp, "LastModifiedById": author.user_id, "SystemModstamp": stamp}
        org.store.update(sobject.name, master["Id"], touched)
    return str(master["Id"])


def _move_children(org: Org, name: str, old_id: str, new_id: str, stamp: str) -> None:
    for other in org.schema.objects.values():
        for field in other.fields.values():
            if name in field.refers_to and field.name not in {"MasterRecordId", "ConvertedContactId"}:
                for row in org.store.rows(other.name, {field.name: old_id}):
                    org.store.update(other.name, row["Id"], {field.name: new_id, "SystemModstamp": stamp})


def convert(
    org: Org, author: Author, lead_id: str, *, account_id: str | None = None, contact_id: str | None = None,
    opportunity: str | None = None, status: str | None = None,
) -> dict[str, str | None]:  # fmt: skip
    """Turn a lead into a contact of an account, and maybe an opportunity; memberships and tasks move along."""
    system = Writer(org, Author(author.user_id, is_api=False, stamp=author.stamp))
    sobject = org.schema.objects["Lead"]
    with org.store.transaction():
        lead = existing(org, author, sobject, lead_id)
        if lead["IsConverted"] == "true":
            raise refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if account_id is None:
            account_id = system.create("Account", {"Name": lead["Company"], "Website": lead["Website"],
                                                   "Industry": lead["Industry"], "Phone": lead["Phone"]})  # fmt: skip
        if contact_id is None:
            values = {name: lead[name] for name in _TO_CONTACT}
            values |= {f"Mailing{part}": lead[part] for part in _ADDRESS}
            contact_id = system.create("Contact", {**values, "AccountId": account_id})
        opportunity_id = None
        if opportunity:
            day = str(system.stamp())[:10]
            opportunity_id = system.create("Opportunity", {"Name": opportunity, "AccountId": account_id,
                                                           "StageName": "Prospecting", "CloseDate": day})  # fmt: skip
        stamp = system.stamp()
        org.store.update("Lead", lead["Id"], {
            "IsConverted": "true", "Status": status or "Closed - Converted", "ConvertedDate": stamp[:10],
            "ConvertedAccountId": account_id, "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id, "LastModifiedDate": stamp, "SystemModstamp": stamp,
            "LastModifiedById": author.user_id,
        })  # fmt: skip
        _move_to_contact(org, str(lead["Id"]), contact_id, stamp)
    return {"leadId": str(lead["Id"]), "accountId": account_id, "contactId": contact_id,
            "opportunityId": opportunity_id}  # fmt: skip


def _move_to_contact(org: Org, lead_id: str, contact_id: str, stamp: str) -> None:
    changes = {"LeadOrContactId": contact_id, "Type": "Contact", "SystemModstamp": stamp}
    for row in org.store.rows("CampaignMember", {"LeadId": lead_id}) if "CampaignMember" in org.schema.objects else ():
        org.store.update("CampaignMember", row["Id"], {"ContactId": contact_id, **changes})
    for row in org.store.rows("Task", {"WhoId": lead_id}):
        org.store.update("Task", row["Id"], {"WhoId": contact_id, "SystemModstamp": stamp})
