"""Seeding: any number of rows, the same for the same seed, quickly and with nasty values on purpose."""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from emulator import seed_words as words
from emulator.derived import MEMBER_STATUSES, STAGES
from emulator.ids import IdMaker
from emulator.org import Org
from emulator.schema import SObject

Row = tuple[Any, ...]
_TEMPLATES = 2_003  # a prime, so that templates and other cycles do not fall into step
_FIXED = "2026-01-01T00:00:00.000Z"
_PLAN = ("users", "accounts", "contacts", "leads", "opportunities", "roles", "campaigns", "members", "tasks", "cases")


class Seeder:
    """Fills one org."""

    def __init__(self, org: Org, plan: dict[str, Any]) -> None:
        self.org = org
        self.seed = int(plan.get("seed", 7))
        self.wanted = {name: int(plan.get(name, 0)) for name in _PLAN}
        if "roles" not in plan:
            self.wanted["roles"] = self.wanted["opportunities"] if self.wanted["contacts"] else 0
        if not self.wanted["campaigns"] or not (self.wanted["leads"] or self.wanted["contacts"]):
            self.wanted["members"] = 0
        self.first: dict[str, int] = {}
        self.makers: dict[str, IdMaker] = {}
        self.owners: list[str] = []

    def run(self) -> dict[str, int]:
        """Write all rows; answers how many of each."""
        store = self.org.store
        with store.transaction():
            self._users()
            for name, sobject, make in self._parts():
                count = self.wanted[name]
                if not count or sobject not in self.org.schema.objects:
                    continue
                known = self.org.schema.objects[sobject]
                if count > 20_000:
                    store.drop_indexes(known)
                self._load(known, count, make)
            store.index(self.org.schema)
        return self.wanted

    def _parts(self) -> tuple[tuple[str, str, Callable[[int], Iterator[dict[str, Any]]]], ...]:
        return (
            ("accounts", "Account", self._accounts),
            ("contacts", "Contact", self._contacts),
            ("leads", "Lead", self._leads),
            ("opportunities", "Opportunity", self._opportunities),
            ("roles", "OpportunityContactRole", self._roles),
            ("campaigns", "Campaign", self._campaigns),
            ("members", "CampaignMember", self._members),
            ("tasks", "Task", self._tasks),
            ("cases", "Case", self._cases),
        )

    def _load(self, sobject: SObject, count: int, make: Callable[[int], Iterator[dict[str, Any]]]) -> None:
        self._number(sobject, count)
        store = self.org.store
        if sobject.name in {"Lead", "Contact"}:
            self._load_people(sobject, count)
            return
        blank = {f.name: f.default for f in sobject.fields.values() if f.is_stored}
        rows = (tuple((blank | row).values()) for row in make(count))
        store.load(sobject.name, list(blank), rows)
        if sobject.name == "Campaign":
            self._statuses(count)

    def _number(self, sobject: SObject, count: int) -> None:
        self.first[sobject.name] = self.org.store.reserve(sobject.prefix, count)
        self.makers[sobject.name] = IdMaker(sobject.prefix, self.org.pod)

    def id_of(self, name: str, index: int) -> str:
        """The id of the row number ``index`` (from 0) of an object of this seed."""
        return self.makers[name](self.first[name] + index)

    def _random(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}:{name}")  # noqa: S311  # reproducible on purpose

    # -- people: templates for what repeats, arithmetic for what does not ---------------------------------------

    def _load_people(self, sobject: SObject, count: int) -> None:
        template = self._lead_template if sobject.name == "Lead" else self._contact_template
        rng = self._random(sobject.name)
        templates = [template(rng, number) for number in range(_TEMPLATES)]
        blank = {f.name: f.default for f in sobject.fields.values() if f.is_stored}
        unique = ("Id", "Email", "Phone", "MobilePhone", "CreatedDate", "LastModifiedDate", "SystemModstamp", "OwnerId",
                  "Company" if sobject.name == "Lead" else "AccountId",
                  "Website" if sobject.name == "Lead" else "Birthdate")  # fmt: skip
        used = {name for one in templates for name, value in one.items() if value is not None}
        fixed = [name for name in blank if name not in unique and (name in used or blank[name] is not None)]
        tails = [tuple((blank | one)[name] for name in fixed) for one in templates]
        self.org.store.load(sobject.name, [*unique, *fixed], self._people(sobject.name, count, templates, tails))

    def _people(self, name: str, count: int, templates: list[dict[str, Any]], tails: list[Row]) -> Iterable[Row]:
        is_lead = name == "Lead"
        maker, first, owners = self.makers[name], self.first[name], self.owners
        accounts = self.wanted["accounts"]
        stamps = _stamps()
        local = [one["_local"] for one in templates]
        for i in range(count):
            which = (i * 7 + i // _TEMPLATES) % _TEMPLATES
            created, modified, moved = stamps[i * 13 % len(stamps)]
            if is_lead:
                last: tuple[Any, Any] = (_company(i), f"https://www.lead{i}.example" if i % 4 else None)
            else:
                last = (
                    self.id_of("Account", i % accounts) if accounts and i % 25 else None,
                    f"19{50 + i % 50}-0{1 + i % 9}-1{i % 10}",
                )
            yield (
                maker(first + i), _email(local[which], i, is_lead=is_lead), f"+49 30 {i:07d}",
                f"+49 170 {i:07d}" if i % 3 else None, created, modified, moved, owners[i % len(owners)], *last,
                *tails[which],
            )  # fmt: skip

    def _person(self, rng: random.Random, number: int) -> dict[str, Any]:
        first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
        plain = "".join(c for c in f"{first}.{last}".lower() if c.isascii() and (c.isalpha() or c == "."))
        first_name = None if number % 53 == 0 else first
        return {
            "_local": plain.strip(".") or "person",
            "FirstName": first_name,
            "LastName": last,
            "Name": f"{first_name} {last}" if first_name else last,
            "Salutation": rng.choice(("Mr.", "Ms.", "Dr.", "Prof.", None)),
            "Title": rng.choice(words.TITLES),
            "Fax": f"+49 30 {number:05d}-99" if number % 5 == 0 else None,
            "Description": words.NASTY[number // 3 % len(words.NASTY)] if number % 3 == 0 else None,
            "LeadSource": rng.choice(("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", None)),
            "HasOptedOutOfEmail": "true" if number % 41 == 0 else "false",
            "DoNotCall": "true" if number % 67 == 0 else "false",
            "EmailBouncedReason": "550 5.1.1 user unknown" if number % 211 == 1 else None,
            "EmailBouncedDate": _FIXED if number % 211 == 1 else None,
            "CreatedById": self.owners[0],
            "LastModifiedById": self.owners[number % len(self.owners)],
            "CleanStatus": "Pending",
        }

    def _lead_template(self, rng: random.Random, number: int) -> dict[str, Any]:
        city, state, code, country, latitude, longitude = rng.choice(words.CITIES)
        industries = [value.value for value in self.org.schema.objects["Lead"].fields["Industry"].values]
        is_converted = number % 101 == 100
        row = self._person(rng, number) | {
            "Street": rng.choice(words.STREETS).format(n=number % 300 + 1), "City": city, "State": state,
            "PostalCode": code, "Country": country, "Latitude": latitude, "Longitude": longitude,
            "Status": "Closed - Converted" if is_converted else words.OPEN_STATUSES[number % 2],
            "Industry": rng.choice(industries), "Rating": rng.choice(("Hot", "Warm", "Cold", None)),
            "AnnualRevenue": float(rng.randint(1, 9_000)) * 1000, "NumberOfEmployees": rng.randint(1, 50_000),
            "IsConverted": "true" if is_converted else "false", "IsUnreadByOwner": "true" if number % 2 else "false",
            "CompanyDunsNumber": f"{rng.randint(1, 999_999_999):09d}", "LastActivityDate": f"2026-0{1 + number % 9}-15",
            "Jigsaw": f"J{number:06d}",
        }  # fmt: skip
        if is_converted:
            row["ConvertedDate"] = "2026-03-14"
            if self.wanted["accounts"] and self.wanted["contacts"]:
                row["ConvertedAccountId"] = self.id_of("Account", number % self.wanted["accounts"])
                row["ConvertedContactId"] = self.id_of("Contact", number % self.wanted["contacts"])
        return row

    def _contact_template(self, rng: random.Random, number: int) -> dict[str, Any]:
        city, state, code, country, latitude, longitude = rng.choice(words.CITIES)
        row = self._person(rng, number)
        return row | {
            "MailingStreet": rng.choice(words.STREETS).format(n=number % 200 + 1), "MailingCity": city,
            "MailingState": state, "MailingPostalCode": code, "MailingCountry": country,
            "MailingLatitude": latitude, "MailingLongitude": longitude, "OtherCity": rng.choice(words.CITIES)[0],
            "Department": rng.choice(("Marketing", "Sales", "R&D", "Legal, Tax", None)),
            "AssistantName": "Kim Assistant" if number % 7 == 0 else None, "HomePhone": None,
            "IsEmailBounced": "true" if row["EmailBouncedReason"] else "false",
        }  # fmt: skip

    # -- the rest -------------------------------------------------------------------------------------------------

    def _base(self, name: str, index: int) -> dict[str, Any]:
        stamps = _stamps()
        created, modified, moved = stamps[index * 17 % len(stamps)]
        row = {"Id": self.id_of(name, index), "CreatedDate": created, "LastModifiedDate": modified,
               "SystemModstamp": moved, "CreatedById": self.owners[0], "LastModifiedById": self.owners[0]}  # fmt: skip
        if "OwnerId" in self.org.schema.objects[name].fields:
            row["OwnerId"] = self.owners[index % len(self.owners)]
        return row

    def _accounts(self, count: int) -> Iterator[dict[str, Any]]:
        rng = self._random("Account")
        industries = [value.value for value in self.org.schema.objects["Account"].fields["Industry"].values]
        for i in range(count):
            city, state, code, country, latitude, longitude = rng.choice(words.CITIES)
            yield self._base("Account", i) | {
                "Name": _company(i), "Website": f"https://www.company{i}.example" if i % 6 else None,
                "Type": rng.choice(("Prospect", "Customer - Direct", "Other", None)), "Phone": f"+49 40 {i:07d}",
                "Industry": rng.choice(industries), "NumberOfEmployees": rng.randint(1, 90_000),
                "AnnualRevenue": float(rng.randint(1, 90_000)) * 1000, "AccountNumber": f"CC{i:06d}",
                "BillingStreet": rng.choice(words.STREETS).format(n=i % 400 + 1), "BillingCity": city,
                "BillingState": state, "BillingPostalCode": code, "BillingCountry": country,
                "BillingLatitude": latitude, "BillingLongitude": longitude, "ShippingCity": city,
                "Description": words.NASTY[i % len(words.NASTY)] if i % 4 == 0 else None,
                "Rating": rng.choice(("Hot", "Warm", "Cold", None)), "Site": None, "CleanStatus": "Pending",
                "ParentId": self.id_of("Account", i // 2) if i % 11 == 10 else None,
            }  # fmt: skip

    def _contacts(self, count: int) -> Iterator[dict[str, Any]]:
        return iter(())

    _leads = _contacts

    def _opportunities(self, count: int) -> Iterator[dict[str, Any]]:
        rng, accounts = self._random("Opportunity"), self.wanted["accounts"]
        stages = list(STAGES)
        for i in range(count):
            stage, account = rng.choice(stages), rng.randrange(accounts) if accounts else i
            probability, category, shown = STAGES[stage]
            year, month = rng.randint(2025, 2027), rng.randint(1, 12)
            amount = None if i % 19 == 0 else rng.randint(1, 9_000_000) / 100
            yield self._base("Opportunity", i) | {
                "AccountId": self.id_of("Account", account) if accounts else None,
                "Name": f"{_company(account)} – deal {i + 1}", "StageName": stage, "Amount": amount,
                "Probability": float(probability), "CloseDate": f"{year}-{month:02d}-{rng.randint(1, 28):02d}",
                "ExpectedRevenue": round(amount * probability / 100, 2) if amount else None,
                "Type": rng.choice(("New Customer", "Existing Customer - Upgrade", None)),
                "NextStep": rng.choice(("Send quote", 'Call "the boss"', None)), "ForecastCategory": category,
                "ForecastCategoryName": shown, "IsClosed": "true" if stage.startswith("Closed") else "false",
                "IsWon": "true" if stage == "Closed Won" else "false", "LeadSource": rng.choice(("Web", "Other", None)),
                "FiscalYear": year, "FiscalQuarter": (month + 2) // 3, "Fiscal": f"{year} {(month + 2) // 3}",
                "Description": words.NASTY[i % len(words.NASTY)] if i % 6 == 0 else None,
            }  # fmt: skip

    def _roles(self, count: int) -> Iterator[dict[str, Any]]:
        names = ("Decision Maker", "Evaluator", "Economic Buyer", None)
        for i in range(count):
            yield self._base("OpportunityContactRole", i) | {
                "OpportunityId": self.id_of("Opportunity", i % self.wanted["opportunities"]),
                "ContactId": self.id_of("Contact", i * 3 % self.wanted["contacts"]),
                "Role": names[i % 4], "IsPrimary": "true" if i < self.wanted["opportunities"] else "false",
            }  # fmt: skip

    def _campaigns(self, count: int) -> Iterator[dict[str, Any]]:
        rng = self._random("Campaign")
        for i in range(count):
            yield self._base("Campaign", i) | {
                "Name": f"{rng.choice(words.CAMPAIGNS)} {2025 + i % 2} #{i + 1}",
                "Type": rng.choice(("Webinar", "Email", "Conference")),
                "Status": rng.choice(("Planned", "In Progress", "Completed")), "IsActive": "true" if i % 4 else "false",
                "StartDate": f"2026-0{1 + i % 9}-01", "EndDate": f"2026-0{1 + i % 9}-28",
                "BudgetedCost": float(rng.randint(1, 90) * 1000), "Description": words.NASTY[i % len(words.NASTY)],
                "NumberOfLeads": 0, "NumberOfContacts": 0, "NumberOfResponses": 0, "NumberOfConvertedLeads": 0,
                "NumberOfOpportunities": 0, "NumberOfWonOpportunities": 0,
            }  # fmt: skip

    def _statuses(self, campaigns: int) -> None:
        sobject = self.org.schema.objects["CampaignMemberStatus"]
        labels = (*MEMBER_STATUSES, ("Registered", False, False), ("Attended", False, True))
        self._number(sobject, campaigns * len(labels))
        blank = {f.name: f.default for f in sobject.fields.values() if f.is_stored}
        rows = (
            blank | self._base("CampaignMemberStatus", i * len(labels) + position) | {
                "CampaignId": self.id_of("Campaign", i), "Label": label, "SortOrder": position + 1,
                "IsDefault": str(is_default).lower(), "HasResponded": str(responded).lower(),
            }
            for i in range(campaigns) for position, (label, is_default, responded) in enumerate(labels)
        )  # fmt: skip
        self.org.store.load(sobject.name, list(blank), (tuple(row.values()) for row in rows))

    def _members(self, count: int) -> Iterator[dict[str, Any]]:
        campaigns, leads, contacts = (self.wanted[name] for name in ("campaigns", "leads", "contacts"))
        statuses = ("Sent", "Responded", "Registered", "Attended")
        for i in range(count):
            person = i // campaigns
            is_lead = person < leads
            key, name = ("LeadId", "Lead") if is_lead else ("ContactId", "Contact")
            index = person if is_lead else (person - leads) % max(contacts, 1)
            status = statuses[i * 7 // 3 % 4]
            person_id = self.id_of(name, index)
            responded = status in {"Responded", "Attended"}
            yield self._base("CampaignMember", i) | {
                "CampaignId": self.id_of("Campaign", i % campaigns), key: person_id, "Status": status,
                "HasResponded": str(responded).lower(), "FirstRespondedDate": "2026-05-05" if responded else None,
                "Type": name, "LeadOrContactId": person_id,
            }  # fmt: skip

    def _tasks(self, count: int) -> Iterator[dict[str, Any]]:
        leads, contacts = self.wanted["leads"], self.wanted["contacts"]
        for i in range(count):
            who = (
                self.id_of("Lead", i % leads)
                if leads and i % 2
                else self.id_of("Contact", i % contacts)
                if contacts
                else None
            )
            is_closed = i % 3 == 0
            yield self._base("Task", i) | {
                "Subject": words.SUBJECTS[i % len(words.SUBJECTS)], "WhoId": who, "TaskSubtype": "Task",
                "Status": "Completed" if is_closed else "Not Started", "IsClosed": str(is_closed).lower(),
                "Priority": "Normal", "ActivityDate": f"2026-0{1 + i % 9}-20",
                "Description": words.NASTY[i % len(words.NASTY)],
            }  # fmt: skip

    def _cases(self, count: int) -> Iterator[dict[str, Any]]:
        contacts = self.wanted["contacts"]
        for i in range(count):
            yield self._base("Case", i) | {
                "CaseNumber": f"{1000 + i:08d}", "Subject": f"Case {i}: {words.SUBJECTS[i % len(words.SUBJECTS)]}",
                "Status": "Closed" if i % 4 == 0 else "New", "IsClosed": str(i % 4 == 0).lower(), "Origin": "Web",
                "ContactId": self.id_of("Contact", i % contacts) if contacts else None, "Priority": "Medium",
            }  # fmt: skip

    def _users(self) -> None:
        """Owners: the users that are there, and so many new ones."""
        have = self.org.store.rows("User", {"UserType": "Standard"})
        self.owners = [row["Id"] for row in have]
        sobject = self.org.schema.objects["User"]
        self._number(sobject, max(1, self.wanted["users"]))
        blank = {f.name: f.default for f in sobject.fields.values() if f.is_stored}
        rng = self._random("User")
        for i in range(self.wanted["users"]):
            first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
            row = blank | self._base("User", i) | {
                "FirstName": first, "LastName": last, "Name": f"{first} {last}", "Alias": f"user{i}"[:8],
                "Username": f"user{i}@{self.org.id[:15].lower()}.example", "Email": f"user{i}@example.com",
                "IsActive": "false" if i % 9 == 8 else "true", "UserType": "Standard",
                "ProfileId": have[0]["ProfileId"],
                "UserPermissionsMarketingUser": "true" if i % 2 else "false", "TimeZoneSidKey": "Europe/Berlin",
                "LocaleSidKey": "de_DE", "LanguageLocaleKey": "de", "EmailEncodingKey": "UTF-8",
            }  # fmt: skip
            self.org.store.insert("User", row)
            if row["IsActive"] == "true":
                self.owners.append(row["Id"])


def _company(number: int) -> str:
    kinds, names = words.KINDS, words.COMPANIES
    return f"{names[number % len(names)]} {kinds[number // len(names) % len(kinds)]} {number // 200 + 1}"


def _email(local: str, number: int, *, is_lead: bool) -> str | None:
    """Blanks, mixed case, duplicates within leads, and leads that share an address with a contact."""
    if number % 97 == 96:
        return None
    if number % 1009 == 1008:
        return "shared.inbox@example.com"
    if number % 211 == 210:
        return f"twin{number // 422}@example.com" if is_lead else f"pair{number}@example.com"
    if number % 499 == 498:
        return f"both{number}@example.com"
    address = f"{local}.{number}@{'lead' if is_lead else 'company'}{number % 5000}.example"
    return address.title() if number % 89 == 88 else address


def _moment(rng: random.Random, year: int, months: int) -> str:
    day = f"{year}-{rng.randint(1, months):02d}-{rng.randint(1, 28):02d}"
    return f"{day}T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"


_MOMENTS: list[tuple[str, str, str]] = []


def _stamps() -> list[tuple[str, str, str]]:
    """Created, modified and moved stamps of past days, always the same."""
    if not _MOMENTS:
        rng = random.Random(1)  # noqa: S311  # reproducible on purpose
        for _ in range(997):
            created, changed = _moment(rng, 2025, 12), _moment(rng, 2026, 9)
            _MOMENTS.append((f"{created}:00.000Z", f"{changed}:00.000Z", f"{changed}:30.000Z"))
    return _MOMENTS


def seed_org(org: Org, plan: dict[str, Any]) -> dict[str, int]:
    """Fill an org: ``{"seed": 7, "leads": N, "contacts": N, ...}``; answers how many rows were made."""
    return Seeder(org, plan).run()
