"""Rows for an org: the same seed gives the same bytes; some of them are nasty on purpose."""

import random
from collections.abc import Iterator
from typing import Any

from emulator.schema import SOBJECTS
from emulator.store import Org, full_id

_FIRST = [
    "Anna",
    "Bert",
    "Carla",
    "Dmitri",
    "Eva",
    "Farid",
    "Grace",
    "Hiro",
    "Inês",
    "Jonas",
    "Søren",
    "Zoë",
    "Łukasz",
    "王",
    "Ανδρέας",
    "أحمد",
    "Ana Maria",
    "Jean-Luc",
    "Priya",
    "Chidi",
]
_LAST = [
    "Smith",
    "O'Brien",
    "Müller",
    "de la Cruz",
    "Nguyễn",
    "Kowalski",
    "李",
    "Παπαδόπουλος",
    "Иванов",
    "García",
    "Johnson",
    "Singh",
    "Yamamoto",
    "Okafor",
    "Larsen",
    "Rossi",
    "Dubois",
    "van Dijk",
    "Haddad",
    "Cohen",
]
_STEM = [
    "Acme",
    "Globex",
    "Initech",
    "Umbra",
    "Hooli",
    "Vandelay",
    "Wonka",
    "Stark",
    "Wayne",
    "Tyrell",
    "Cyberdyne",
    "Soylent",
    "Massive",
    "Aperture",
    "Oscorp",
    "Gringotts",
    "Monarch",
    "Zorin",
    "Virtucon",
    "Prestige",
]
_KIND = ["Industries", "Logistics", "Software", "Health", "Energy", "Foods", "Media", "Partners", "Labs", "Retail"]
_CITIES = [
    ("Berlin", "BE", "10115", "Germany"),
    ("London", "", "EC1A 1BB", "United Kingdom"),
    ("Austin", "TX", "73301", "United States"),
    ("São Paulo", "SP", "01000-000", "Brazil"),
    ("東京", "", "100-0001", "Japan"),
    ("Paris", "", "75001", "France"),
    ("Toronto", "ON", "M5H 2N2", "Canada"),
]
_TITLES = ["Head of Marketing", "CEO", "VP, Sales", "Account Manager", 'Data "Guru"', "Buyer", "CTO", "Intern"]
_NASTY = [
    "Likes cats, dogs\nand line breaks",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "emoji 🚀 & ümlaut",
    "+49 is not a formula",
    "@SUM(1+1)",
    '"quoted"',
    "N/A",
    "-1",
]


def _blank(sobject: str) -> dict[str, Any]:
    return {n: ("false" if f.type == "boolean" else None) for n, f in SOBJECTS[sobject].fields.items()}


def _stamps(rng: random.Random) -> dict[str, str]:
    day = f"2026-{rng.randint(1, 9):02d}-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    return {
        "CreatedDate": f"2025-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T08:00:00.000Z",
        "LastModifiedDate": day + ":00.000Z",
        "SystemModstamp": day + ":30.000Z",
    }


def _company(number: int) -> str:
    return f"{_STEM[number % 20]} {_KIND[number // 20 % 10]} {number // 200 + 1}"


def _human(rng: random.Random, number: int, domain: str, owner: str) -> dict[str, Any]:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    plain = "".join(c for c in f"{first}.{last}".lower() if c.isascii() and (c.isalpha() or c == "."))
    email: str | None = f"{plain.strip('.') or 'person'}.{number}@{domain}"
    if number % 97 == 0:
        email = None
    elif number % 89 == 0:
        email = str(email).title()
    return {
        "OwnerId": owner,
        "FirstName": None if number % 53 == 0 else first,
        "LastName": last,
        "Name": f"{first} {last}",
        "Salutation": rng.choice(["Mr.", "Ms.", "Dr.", None]),
        "Title": rng.choice(_TITLES),
        "Phone": f"+49 30 {number:07d}",
        "MobilePhone": f"+49 170 {number:07d}" if number % 3 else None,
        "Email": email,
        "Description": _NASTY[number // 11 % len(_NASTY)] if number % 11 == 0 else None,
        "LeadSource": rng.choice(SOBJECTS["Lead"].fields["LeadSource"].values),
        "HasOptedOutOfEmail": "true" if number % 41 == 0 else "false",
    }


def _accounts(rng: random.Random, count: int, owner: str) -> Iterator[dict[str, Any]]:
    for i in range(1, count + 1):
        city, state, code, country = rng.choice(_CITIES)
        yield {
            "Id": full_id("001", i), "OwnerId": owner, "Name": _company(i), "Website": f"https://www.company{i}.example",
            "Type": "Prospect", "Phone": f"+49 40 {i:07d}",
            "Industry": rng.choice(SOBJECTS["Account"].fields["Industry"].values),
            "NumberOfEmployees": str(rng.randint(1, 9000)), "AnnualRevenue": f"{rng.randint(1, 900)}000.5",
            "BillingCity": city, "BillingState": state or None, "BillingPostalCode": code, "BillingCountry": country,
            **_stamps(rng),
        }  # fmt: skip


def _leads(rng: random.Random, count: int, owner: str) -> Iterator[dict[str, Any]]:
    statuses = SOBJECTS["Lead"].fields["Status"].values
    for i in range(1, count + 1):
        city, state, code, country = rng.choice(_CITIES)
        human = _human(rng, i, f"lead{i % 5000}.example", owner)
        if i % 1009 == 0:
            human["Email"] = "shared.inbox@example.com"
        yield {
            "Id": full_id("00Q", i), **human, "Company": _company(i), "Street": f"Main street {i % 300}\nFloor {i % 9}",
            "City": city, "State": state or None, "PostalCode": code, "Country": country,
            "Website": f"https://lead{i}.example", "Status": statuses[i % 2], "Rating": rng.choice(["Hot", "Warm", "Cold"]),
            "Industry": rng.choice(SOBJECTS["Lead"].fields["Industry"].values),
            "AnnualRevenue": f"{rng.randint(1, 900)}000.25", "NumberOfEmployees": str(rng.randint(1, 5000)),
            "Fax": None, **_stamps(rng),
        }  # fmt: skip


def _contacts(rng: random.Random, count: int, accounts: int, owner: str) -> Iterator[dict[str, Any]]:
    for i in range(1, count + 1):
        city, state, code, country = rng.choice(_CITIES)
        account = rng.randint(1, accounts) if accounts else 0
        yield {
            "Id": full_id("003", i), **_human(rng, i, f"company{account}.example", owner),
            "AccountId": full_id("001", account) if account else None, "Department": "Marketing",
            "Birthdate": f"19{60 + i % 40}-0{1 + i % 9}-1{i % 10}", "MailingStreet": f"High street {i % 200}",
            "MailingCity": city, "MailingState": state or None, "MailingPostalCode": code, "MailingCountry": country,
            **_stamps(rng),
        }  # fmt: skip


def _opportunities(rng: random.Random, count: int, accounts: int, owner: str) -> Iterator[dict[str, Any]]:
    stages = SOBJECTS["Opportunity"].fields["StageName"].values
    for i in range(1, count + 1):
        account, stage = (rng.randint(1, accounts) if accounts else 0), rng.choice(stages)
        yield {
            "Id": full_id("006", i), "OwnerId": owner, "AccountId": full_id("001", account) if account else None,
            "Name": f"{_company(account or i)} – deal {i}", "Amount": f"{rng.randint(1, 900)}00.75", "StageName": stage,
            "CloseDate": f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}", "Probability": str(rng.randint(0, 100)),
            "IsClosed": "true" if stage.startswith("Closed") else "false",
            "IsWon": "true" if stage == "Closed Won" else "false", **_stamps(rng),
        }  # fmt: skip


def _campaigns(rng: random.Random, count: int, owner: str) -> Iterator[dict[str, Any]]:
    for i in range(1, count + 1):
        yield {
            "Id": full_id("701", i), "OwnerId": owner, "Name": f"{rng.choice(['Spring', 'Summer', 'Launch'])} campaign {i}",
            "Type": "Webinar", "Status": rng.choice(["Planned", "In Progress", "Completed"]), "IsActive": "true",
            "StartDate": "2026-03-01", "EndDate": "2026-06-30", **_stamps(rng),
        }  # fmt: skip


def _members(rng: random.Random, count: int, campaigns: int, leads: int) -> Iterator[dict[str, Any]]:
    for i in range(1, count + 1):
        yield {
            "Id": full_id("00v", i), "CampaignId": full_id("701", 1 + i % campaigns),
            "LeadId": full_id("00Q", 1 + (i // campaigns) % leads), "Status": rng.choice(["Sent", "Responded"]),
            **_stamps(rng),
        }  # fmt: skip


def seed(org: Org, plan: dict[str, int]) -> None:
    """Fill an empty org: ``{"seed", "accounts", "contacts", "leads", "opportunities", "campaigns", "members"}``."""
    rng = random.Random(plan.get("seed", 7))  # noqa: S311  # reproducible, not secret
    owner = next(iter(org.users.values()))["id"]
    accounts, leads = plan.get("accounts", 0), plan.get("leads", 0)
    campaigns = plan.get("campaigns", 0)
    makers = {
        "Account": _accounts(rng, accounts, owner),
        "Contact": _contacts(rng, plan.get("contacts", 0), accounts, owner),
        "Lead": _leads(rng, leads, owner),
        "Opportunity": _opportunities(rng, plan.get("opportunities", 0), accounts, owner),
        "Campaign": _campaigns(rng, campaigns, owner),
        "CampaignMember": _members(rng, plan.get("members", 0) if campaigns and leads else 0, campaigns, leads),
    }
    counts = {
        "Account": accounts,
        "Contact": plan.get("contacts", 0),
        "Lead": leads,
        "Opportunity": plan.get("opportunities", 0),
        "Campaign": campaigns,
        "CampaignMember": plan.get("members", 0),
    }
    for sobject, rows in makers.items():
        blank = _blank(sobject)
        org.load(sobject, (tuple((blank | row).values()) for row in rows), list(blank))
        org._numbers[sobject] = max(org._numbers.get(sobject, 0), counts[sobject])
