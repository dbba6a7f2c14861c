"""Every address of the API: which records it is about, and the scope that each method needs."""

from dataclasses import dataclass

from apps.tenants.models import Scope


@dataclass(frozen=True)
class Address:
    """Scopes by method; None: there is no such method. ``about`` names the records in the address."""

    about: tuple[str, ...] = ()
    get: Scope | None = None
    post: Scope | None = None
    patch: Scope | None = None
    delete: Scope | None = None

    def methods(self) -> dict[str, Scope | None]:
        return {"GET": self.get, "POST": self.post, "PATCH": self.patch, "DELETE": self.delete}


_S = Scope
_PERSON, _COMPANY = ("person",), ("company",)
_LIST, _SEQUENCE, _RECORD = ("list",), ("sequence",), ("custom_record",)

ADDRESSES: dict[str, Address] = {
    "api:people": Address(get=_S.PEOPLE_READ, post=_S.PEOPLE_WRITE),
    "api:person": Address(_PERSON, get=_S.PEOPLE_READ, patch=_S.PEOPLE_WRITE),
    "api:person-deactivate": Address(_PERSON, post=_S.PEOPLE_WRITE),
    "api:person-reactivate": Address(_PERSON, post=_S.PEOPLE_WRITE),
    "api:person-consent": Address(_PERSON, post=_S.PEOPLE_WRITE),
    "api:person-sync": Address(_PERSON, post=_S.SYNC_RUN),
    "api:person-score": Address(_PERSON, post=_S.PEOPLE_WRITE),
    "api:person-events": Address(_PERSON, get=_S.EVENTS_READ),
    "api:events": Address(post=_S.EVENTS_WRITE),
    "api:lists": Address(get=_S.LISTS_READ, post=_S.LISTS_WRITE),
    "api:list": Address(_LIST, get=_S.LISTS_READ, patch=_S.LISTS_WRITE),
    "api:members": Address(_LIST, get=_S.LISTS_READ, post=_S.LISTS_WRITE),
    "api:members-remove": Address(_LIST, post=_S.LISTS_WRITE),
    "api:members-status": Address(_LIST, post=_S.LISTS_WRITE),
    "api:member": Address(("list", "person"), get=_S.LISTS_READ, delete=_S.LISTS_WRITE),
    "api:sequences": Address(get=_S.SEQUENCES_READ, post=_S.SEQUENCES_WRITE),
    "api:sequence": Address(_SEQUENCE, get=_S.SEQUENCES_READ, patch=_S.SEQUENCES_WRITE),
    "api:enrolments": Address(_SEQUENCE, get=_S.SEQUENCES_READ, post=_S.SEQUENCES_WRITE),
    "api:enrolments-status": Address(_SEQUENCE, post=_S.SEQUENCES_WRITE),
    "api:custom-fields": Address(get=_S.FIELDS_READ, post=_S.FIELDS_WRITE),
    "api:custom-field": Address(("custom_field",), get=_S.FIELDS_READ, patch=_S.FIELDS_WRITE, delete=_S.FIELDS_WRITE),
    "api:companies": Address(get=_S.COMPANIES_READ, post=_S.COMPANIES_WRITE),
    "api:company": Address(_COMPANY, get=_S.COMPANIES_READ, patch=_S.COMPANIES_WRITE),
    "api:company-deactivate": Address(_COMPANY, post=_S.COMPANIES_WRITE),
    "api:company-reactivate": Address(_COMPANY, post=_S.COMPANIES_WRITE),
    "api:company-sync": Address(_COMPANY, post=_S.SYNC_RUN),
    "api:opportunities": Address(get=_S.OPPORTUNITIES_READ),
    "api:opportunity": Address(("opportunity",), get=_S.OPPORTUNITIES_READ),
    "api:record-types": Address(get=_S.RECORDS_READ),
    "api:records": Address(("record_type",), get=_S.RECORDS_READ, post=_S.RECORDS_WRITE),
    "api:record": Address(_RECORD, get=_S.RECORDS_READ, patch=_S.RECORDS_WRITE),
    "api:record-deactivate": Address(_RECORD, post=_S.RECORDS_WRITE),
    "api:record-reactivate": Address(_RECORD, post=_S.RECORDS_WRITE),
    "api:record-sync": Address(_RECORD, post=_S.SYNC_RUN),
    "api:sync": Address(get=_S.SYNC_READ),
    "api:sync-full": Address(post=_S.SYNC_RUN),
    "api:sync-differential": Address(post=_S.SYNC_RUN),
    "api:runs": Address(get=_S.SYNC_READ),
    "api:run": Address(("run",), get=_S.SYNC_READ),
    "api:run-cancel": Address(("run",), post=_S.SYNC_RUN),
    "api:errors": Address(get=_S.ERRORS_READ),
    "api:error": Address(("error",), get=_S.ERRORS_READ),
    "api:errors-clear": Address(post=_S.ERRORS_WRITE),
    "api:errors-retry": Address(post=_S.ERRORS_WRITE),
}
RECORDS = {what for address in ADDRESSES.values() for what in address.about}
FOR_ANY_KEY = "api:root"
PUBLIC = ("api:schema", "api:docs")
NOWHERE = "api:nothing"
