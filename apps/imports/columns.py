"""What columns of a file can mean, and what their headers suggest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.audience.fields import Kind, LocalField
from apps.audience.services.values import fields_of

OPT_OUT = "email_opt_out"
OPT_OUT_LABEL = "Unsubscribed (yes: opts out)"
_ALIASES = {
    "person": {
        "email": "mail emailaddress emailaddress1 primaryemail workemail epost",
        "first_name": "first firstname givenname forename vorname",
        "last_name": "last lastname surname familyname nachname name fullname",
        "salutation": "prefix anrede",
        "title": "jobtitle position role",
        "company_name": "company organisation organization account accountname employer firma",
        "phone": "telephone phonenumber tel businessphone workphone telefon",
        "mobile_phone": "mobile cell cellphone mobilenumber",
        "website": "url web homepage",
        "street": "address address1 mailingstreet streetaddress",
        "city": "town mailingcity ort",
        "state": "region province stateprovince county",
        "postal_code": "zip zipcode postcode plz mailingpostalcode",
        "country": "land mailingcountry",
        "lead_source": "source",
        "description": "notes comments comment",
        "employees": "numberofemployees companysize",
        "annual_revenue": "revenue",
        "birthdate": "birthday dateofbirth",
        OPT_OUT: "optout unsubscribed emailoptout hasoptedoutofemail",
    },
    "company": {
        "name": "company companyname account accountname organisation organization firma",
        "website": "url web homepage domain",
        "phone": "telephone phonenumber tel",
        "company_type": "accounttype",
        "billing_street": "street address",
        "billing_city": "city town",
        "billing_state": "state region province",
        "billing_postal_code": "zip zipcode postcode postalcode",
        "billing_country": "country",
        "description": "notes comments",
        "employees": "numberofemployees companysize",
        "annual_revenue": "revenue",
    },
}


@dataclass(frozen=True, slots=True)
class Target:
    """A field that a column may fill."""

    name: str
    label: str
    field: LocalField | None


def targets_of(record_type: str) -> dict[str, Target]:
    """Fields by name that a file can fill: all but references, and the opt-out of people."""
    found = {
        name: Target(name, field.label, field)
        for name, field in fields_of(record_type).items()
        if field.kind is not Kind.REFERENCE
    }
    if record_type == "person":
        found[OPT_OUT] = Target(OPT_OUT, OPT_OUT_LABEL, None)
    return found


def guess(record_type: str, header: Sequence[str], targets: Mapping[str, Target]) -> dict[int, str]:
    """Which field each column fills, by its header; each field at most once."""
    names: dict[str, str] = {}
    for field, words in _ALIASES[record_type].items():
        names |= dict.fromkeys(words.split(), field)
    for target in targets.values():
        names[_plain(target.label)] = target.name
        names[_plain(target.name.removeprefix("custom:"))] = target.name
    chosen: dict[int, str] = {}
    for number, title in enumerate(header):
        field = names.get(_plain(title), "")
        if field in targets and field not in chosen.values():
            chosen[number] = field
    return chosen


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())
