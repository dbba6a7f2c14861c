"""What the platform fills in by itself: names, closed flags, amounts, copies on campaign members."""

from typing import Any

from emulator.errors import refused
from emulator.org import Org
from emulator.schema import SObject
from emulator.values import Stored

STAGES: dict[str, tuple[int, str, str]] = {
    "Prospecting": (10, "Pipeline", "Pipeline"),
    "Qualification": (10, "Pipeline", "Pipeline"),
    "Needs Analysis": (20, "Pipeline", "Pipeline"),
    "Value Proposition": (50, "Pipeline", "Pipeline"),
    "Id. Decision Makers": (60, "Pipeline", "Pipeline"),
    "Perception Analysis": (70, "Pipeline", "Pipeline"),
    "Proposal/Price Quote": (75, "Pipeline", "Pipeline"),
    "Negotiation/Review": (90, "Pipeline", "Pipeline"),
    "Closed Won": (100, "Closed", "Closed"),
    "Closed Lost": (0, "Omitted", "Omitted"),
}
MEMBER_STATUSES = (("Sent", True, False), ("Responded", False, True))
_COPIES = ("Salutation", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Fax", "MobilePhone",
           "Description", "DoNotCall", "HasOptedOutOfEmail", "HasOptedOutOfFax", "LeadSource")  # fmt: skip
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_CLOSED = {"Task": "Completed", "Case": "Closed"}


def derive(org: Org, sobject: SObject, row: dict[str, Any], sent: dict[str, Stored], *, creating: bool) -> None:
    """Complete a row that is about to be stored; ``sent`` are the values of this write."""
    if "LastName" in row and "Name" in row and (row["LastName"] or sobject.name in {"Lead", "Contact", "User"}):
        row["Name"] = " ".join(str(part) for part in (row.get("FirstName"), row["LastName"]) if part) or None
    if "EmailBouncedReason" in row and "Email" in sent and not creating and "EmailBouncedReason" not in sent:
        row["EmailBouncedReason"] = row["EmailBouncedDate"] = None
    if "IsEmailBounced" in row:
        row["IsEmailBounced"] = "true" if row.get("EmailBouncedReason") else "false"
    if sobject.name in _CLOSED:
        row["IsClosed"] = "true" if row["Status"] == _CLOSED[sobject.name] else "false"
    if sobject.name == "Opportunity":
        _opportunity(row, sent, creating=creating)
    if sobject.name == "CampaignMember":
        _member(org, row, creating=creating)
    if sobject.name == "Task" and {"WhoId", "WhatId"} & sent.keys():
        if row.get("WhatId") and str(row.get("WhoId")).startswith(org.schema.objects["Lead"].prefix):
            raise refused("FIELD_INTEGRITY_EXCEPTION", "A task of a lead is related to nothing else", "WhatId")
        row["AccountId"] = _account_of(org, row)


def _opportunity(row: dict[str, Any], sent: dict[str, Stored], *, creating: bool) -> None:
    stage = str(row["StageName"])
    probability, category, shown = STAGES.get(stage, (50, "Pipeline", "Pipeline"))
    if "StageName" in sent and sent.get("Probability") is None:
        row["Probability"] = float(probability)
    if creating or "StageName" in sent:
        row["ForecastCategory"] = category
        row["ForecastCategoryName"] = sent.get("ForecastCategoryName") or shown
    row["IsClosed"] = "true" if stage.startswith("Closed") else "false"
    row["IsWon"] = "true" if stage == "Closed Won" else "false"
    if row.get("Amount") is not None:
        row["ExpectedRevenue"] = round(row["Amount"] * (row["Probability"] or 0) / 100, 2)
    year, month = (int(part) for part in str(row["CloseDate"]).split("-")[:2])
    row["FiscalYear"], row["FiscalQuarter"] = year, (month + 2) // 3
    row["Fiscal"] = f"{year} {(month + 2) // 3}"


def _account_of(org: Org, row: dict[str, Any]) -> str | None:
    what, who = row.get("WhatId"), row.get("WhoId")
    if what and what.startswith("001"):
        return str(what)
    for related in (what, who):
        parent = org.schema.of_id(related) if related else None
        found = org.store.row(parent.name, related) if related and parent and "AccountId" in parent.fields else None
        if found and found["AccountId"]:
            return str(found["AccountId"])
    return None


def _member(org: Org, row: dict[str, Any], *, creating: bool) -> None:
    if row["LeadId"] and row["ContactId"]:
        row["LeadId"] = None  # the record is created with the Contact only (facts.md, section 7)
    if not (row["LeadId"] or row["ContactId"]):
        raise refused("REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId, ContactId]", "LeadId")
    statuses = {
        s["Label"].lower(): s for s in org.store.rows("CampaignMemberStatus", {"CampaignId": row["CampaignId"]})
    }
    chosen = statuses.get(str(row["Status"] or "").lower())
    if not row["Status"]:
        chosen = next((s for s in statuses.values() if s["IsDefault"] == "true"), None)
        row["Status"] = chosen["Label"] if chosen else "Sent"
    elif chosen is None:
        message = f"Status: bad value for restricted picklist field: {row['Status']}"
        raise refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "Status")
    responded = chosen is not None and chosen["HasResponded"] == "true"
    row["HasResponded"] = "true" if responded else "false"
    if responded and not row["FirstRespondedDate"]:
        row["FirstRespondedDate"] = str(row["LastModifiedDate"])[:10]
    if creating:
        _copy_person(org, row)


def _copy_person(org: Org, row: dict[str, Any]) -> None:
    kind, person_id = ("Contact", row["ContactId"]) if row["ContactId"] else ("Lead", row["LeadId"])
    person = org.store.row(kind, person_id) or {}
    if person.get("IsConverted") == "true":
        raise refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    key = f"{kind}Id"
    for other in org.store.rows("CampaignMember", {key: person_id}):
        if other["CampaignId"] == row["CampaignId"] and other["IsDeleted"] == "false":
            raise refused("DUPLICATE_VALUE", "Already a campaign member.")
    prefix = "Mailing" if kind == "Contact" else ""
    row |= {name: person.get(name) for name in _COPIES}
    row |= {name: person.get(prefix + name) for name in _ADDRESS}
    row |= {"Type": kind, "LeadOrContactId": person_id, "LeadOrContactOwnerId": person.get("OwnerId")}
    account = org.store.row("Account", person["AccountId"]) if person.get("AccountId") else None
    row["CompanyOrAccount"] = account["Name"] if account else person.get("Company")
