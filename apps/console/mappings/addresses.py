"""Which object pages there are: the standard ones, and one for each custom record type that has an sObject."""

from dataclasses import dataclass

from django.http import Http404

from apps.audience.selectors.types import custom_types


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """An sObject's page: its place in the address, the sObject, and what many of its records are called."""

    slug: str
    sobject: str
    label: str


STANDARD = (
    ObjectPlace("lead", "Lead", "Leads"),
    ObjectPlace("contact", "Contact", "Contacts"),
    ObjectPlace("account", "Account", "Accounts"),
    ObjectPlace("opportunity", "Opportunity", "Opportunities"),
    ObjectPlace("campaign", "Campaign", "Campaigns"),
)


def object_places() -> list[ObjectPlace]:
    """All object pages, in the order of their tabs."""
    own = [ObjectPlace(one.key, one.sobject, one.label_plural) for one in custom_types() if one.sobject]
    taken = {place.slug for place in STANDARD}
    return [*STANDARD, *(place for place in own if place.slug not in taken)]


def place_at(slug: str) -> ObjectPlace:
    """The object behind an address; 404 for any other."""
    found = next((place for place in object_places() if place.slug == slug), None)
    if found is None:
        raise Http404
    return found


def place_of(sobject: str) -> ObjectPlace | None:
    """The page of an sObject."""
    return next((place for place in object_places() if place.sobject == sobject), None)
