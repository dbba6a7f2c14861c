"""Compact tables of the sObjects that the emulator knows, from which describes are made.

One field a line: name, type, label; then flags: ``r`` required on create, ``-`` read-only, ``x`` external id,
``*`` restricted picklist. A number is the length; values of a picklist follow after ``=``.
"""

from dataclasses import dataclass
from typing import Any

_SYSTEM = """
Id id Record_ID 18 -
IsDeleted boolean Deleted -
CreatedDate datetime Created_Date -
CreatedById reference Created_By 18 - User
LastModifiedDate datetime Last_Modified_Date -
LastModifiedById reference Last_Modified_By 18 - User
SystemModstamp datetime System_Modstamp -
"""
_INDUSTRIES = "Agriculture|Banking|Construction|Education|Energy|Healthcare|Media|Retail|Technology|Transportation"
_SOURCES = "Web|Phone Inquiry|Partner Referral|Purchased List|Other"
_PERSON = f"""
OwnerId reference Owner 18 User
MasterRecordId reference Master_Record 18 -
LastName string Last_Name 80 r
FirstName string First_Name 40
Salutation picklist Salutation 40 =Mr.|Ms.|Mrs.|Dr.|Prof.
Name string Full_Name 121 -
Title string Title 128
Phone phone Phone 40
MobilePhone phone Mobile_Phone 40
Fax phone Fax 40
Email email Email 80
Description textarea Description 32000
LeadSource picklist Lead_Source 255 ={_SOURCES}
HasOptedOutOfEmail boolean Email_Opt_Out
"""
_PACKAGE = """
Syncline_Id__c string Syncline_Id 64 x
Syncline_Lead_Score__c double Syncline_Lead_Score 18
"""

TABLES: dict[str, tuple[str, str, str]] = {
    "Lead": (
        "Lead",
        "00Q",
        _PERSON
        + f"""
Company string Company 255 r
Street textarea Street 255
City string City 40
State string State/Province 80
PostalCode string Zip/Postal_Code 20
Country string Country 80
Website url Website 255
Status picklist Lead_Status 255 =Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted
Industry picklist Industry 255 ={_INDUSTRIES}
Rating picklist Rating 255 =Hot|Warm|Cold
AnnualRevenue currency Annual_Revenue 18
NumberOfEmployees int No._of_Employees 8
IsConverted boolean Converted -
ConvertedDate date Converted_Date -
ConvertedAccountId reference Converted_Account 18 - Account
ConvertedContactId reference Converted_Contact 18 - Contact
ConvertedOpportunityId reference Converted_Opportunity 18 - Opportunity
"""
        + _PACKAGE,
    ),
    "Contact": (
        "Contact",
        "003",
        _PERSON
        + """
AccountId reference Account 18 Account
Department string Department 80
Birthdate date Birthdate
MailingStreet textarea Mailing_Street 255
MailingCity string Mailing_City 40
MailingState string Mailing_State/Province 80
MailingPostalCode string Mailing_Zip/Postal_Code 20
MailingCountry string Mailing_Country 80
"""
        + _PACKAGE,
    ),
    "Account": (
        "Account",
        "001",
        f"""
OwnerId reference Owner 18 User
MasterRecordId reference Master_Record 18 -
Name string Account_Name 255 r
Type picklist Account_Type 255 =Prospect|Customer - Direct|Customer - Channel|Partner|Other
Website url Website 255
Phone phone Account_Phone 40
Industry picklist Industry 255 ={_INDUSTRIES}
NumberOfEmployees int Employees 8
AnnualRevenue currency Annual_Revenue 18
BillingStreet textarea Billing_Street 255
BillingCity string Billing_City 40
BillingState string Billing_State/Province 80
BillingPostalCode string Billing_Zip/Postal_Code 20
BillingCountry string Billing_Country 80
Description textarea Account_Description 32000
Syncline_Id__c string Syncline_Id 64 x
""",
    ),
    "Opportunity": (
        "Opportunity",
        "006",
        f"""
OwnerId reference Owner 18 User
AccountId reference Account 18 Account
Name string Name 120 r
Amount currency Amount 18
StageName picklist Stage 255 r =Prospecting|Qualification|Proposal|Negotiation|Closed Won|Closed Lost
CloseDate date Close_Date r
Probability percent Probability_(%) 3
Type picklist Opportunity_Type 255 =New Customer|Existing Customer - Upgrade
LeadSource picklist Lead_Source 255 ={_SOURCES}
NextStep string Next_Step 255
Description textarea Description 32000
IsClosed boolean Closed -
IsWon boolean Won -
""",
    ),
    "OpportunityContactRole": (
        "Opportunity Contact Role",
        "00K",
        """
OpportunityId reference Opportunity 18 r Opportunity
ContactId reference Contact 18 r Contact
Role picklist Role 255 =Decision Maker|Evaluator|Economic Buyer|Business User
IsPrimary boolean Primary
""",
    ),
    "Campaign": (
        "Campaign",
        "701",
        """
OwnerId reference Owner 18 User
Name string Name 80 r
Type picklist Type 255 =Conference|Webinar|Email|Advertisement
Status picklist Status 255 =Planned|In Progress|Completed|Aborted
StartDate date Start_Date
EndDate date End_Date
IsActive boolean Active
""",
    ),
    "CampaignMember": (
        "Campaign Member",
        "00v",
        """
CampaignId reference Campaign 18 r Campaign
LeadId reference Lead 18 Lead
ContactId reference Contact 18 Contact
Status picklist Status 40 =Sent|Responded|Attended
HasResponded boolean Responded -
""",
    ),
    "User": (
        "User",
        "005",
        """
Username string Username 80 r
Name string Full_Name 121 r
Email email Email 128 r
IsActive boolean Active
UserType picklist User_Type 40 =Standard
ProfileId reference Profile 18 Profile
UserPermissionsMarketingUser boolean Marketing_User
""",
    ),
    "Group": ("Group", "00G", "Name string Name 40 r\nType picklist Type 40 =Queue|Regular\n"),
    "Profile": (
        "Profile",
        "00e",
        """
Name string Name 255 r
PermissionsApiEnabled boolean API_Enabled
PermissionsModifyAllData boolean Modify_All_Data
""",
    ),
    "Organization": (
        "Organization",
        "00D",
        """
Name string Name 80 r
OrganizationType picklist Edition 40 =Developer Edition|Enterprise Edition|Unlimited Edition
IsSandbox boolean Is_Sandbox
InstanceName string Instance_Name 5
""",
    ),
}
_PLURALS = {"Opportunity": "Opportunities"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an sObject."""

    name: str
    type: str
    label: str
    length: int = 0
    required: bool = False
    read_only: bool = False
    external: bool = False
    restricted: bool = False
    refers_to: str = ""
    values: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """The field as a describe shows it (key names of the recorded describes)."""
        writable = not self.read_only
        return {
            "autoNumber": False,
            "calculated": False,
            "compoundFieldName": None,
            "createable": writable,
            "custom": self.name.endswith("__c"),
            "defaultedOnCreate": self.type == "boolean" or self.name in {"OwnerId", "Status"},
            "externalId": self.external,
            "filterable": True,
            "idLookup": self.external or self.name in {"Id", "Email"},
            "label": self.label,
            "length": self.length if self.type not in {"currency", "double", "int", "percent"} else 0,
            "name": self.name,
            "nillable": not self.required and self.type not in {"boolean", "id"},
            "permissionable": not self.required,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": v, "validFor": None, "value": v} for v in self.values
            ],
            "precision": self.length if self.type in {"currency", "double", "percent"} else 0,
            "referenceTo": [self.refers_to] if self.refers_to else [],
            "relationshipName": self.name[:-2] if self.refers_to and self.name.endswith("Id") else None,
            "restrictedPicklist": self.restricted,
            "scale": 2 if self.type in {"currency", "double"} else 0,
            "sortable": True,
            "type": self.type,
            "unique": self.external,
            "updateable": writable,
        }


def _parse(line: str) -> Field:
    head, _, values = line.partition(" =")
    name, kind, label, *rest = head.split()
    return Field(
        name,
        kind,
        label.replace("_", " "),
        next((int(word) for word in rest if word.isdigit()), 0),
        "r" in rest,
        "-" in rest,
        "x" in rest,
        "*" in rest,
        next((word for word in rest if word in TABLES), ""),
        tuple(values.split("|")) if values else (),
    )


@dataclass(frozen=True, slots=True)
class SObject:
    """An sObject and its fields."""

    name: str
    label: str
    prefix: str
    fields: dict[str, Field]

    def summary(self) -> dict[str, Any]:
        """As describe-global shows it."""
        return {
            "createable": self.name not in {"Organization", "Profile"},
            "custom": False,
            "keyPrefix": self.prefix,
            "label": self.label,
            "labelPlural": _PLURALS.get(self.name, self.label + "s"),
            "name": self.name,
            "queryable": True,
            "replicateable": True,
            "updateable": True,
        }

    def describe(self, hidden: frozenset[str] = frozenset()) -> dict[str, Any]:
        """As describe shows it to a user who may not see ``hidden`` fields."""
        shown = [field.describe() for field in self.fields.values() if f"{self.name}.{field.name}" not in hidden]
        return {**self.summary(), "fields": shown, "recordTypeInfos": [], "childRelationships": []}


def _build() -> dict[str, SObject]:
    built = {}
    for name, (label, prefix, text) in TABLES.items():
        fields = [_parse(line) for line in (_SYSTEM + text).strip().splitlines() if line.strip()]
        built[name] = SObject(name, label, prefix, {field.name: field for field in fields})
    return built


SOBJECTS: dict[str, SObject] = _build()
