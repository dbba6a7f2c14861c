"""Which org it is: its own row, asked for on connecting and by each reading of metadata."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.domain.failures import AuthorizationLost, Category, MappingBroken, Transient
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.oauth import TokenSet
from apps.salesforce.session import Usage

_FIELDS = "Id, Name, OrganizationType, IsSandbox"


@dataclass(frozen=True, slots=True)
class Organization:
    """Name and edition as Salesforce names them; blank where it does not tell."""

    name: str = ""
    edition: str = ""
    is_sandbox: bool = False
    usage: Usage | None = None


class _OneToken:
    """The token of a grant that is not stored yet; it is never renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self) -> str:
        return self._token

    def renew(self, stale: str) -> str:
        raise AuthorizationLost(Category.INVALID_GRANT, "Salesforce refused the token it has just given.")


def ask_organization(gateway: SalesforceGateway) -> Organization:
    """Ask through an open gateway; an org that hides the row, or a stand-in without it, stays unnamed."""
    row: dict[str, Any] = {}
    try:
        row = next(gateway.query(f"SELECT {_FIELDS} FROM Organization LIMIT 1"), {})
    except MappingBroken:
        row = {}
    return Organization(
        (row.get("Name") or "")[:255], (row.get("OrganizationType") or "")[:80], bool(row.get("IsSandbox"))
    )


def read_organization(tokens: TokenSet) -> Organization:
    """Ask with the tokens of a fresh grant; raises Failure where the API is closed to them.

    What Salesforce cannot tell at this moment is read later by the metadata job.
    """
    usages: list[Usage] = []
    gateway = SalesforceGateway(
        instance_url=tokens.instance_url,
        api_version=settings.SALESFORCE_API_VERSION,
        tokens=_OneToken(tokens.access_token),
        trusted_hosts=settings.SALESFORCE_TRUSTED_HOSTS,
        on_call=lambda call: usages.append(call.usage) if call.usage else None,
    )
    try:
        found = ask_organization(gateway)
        usage = usages[-1] if usages else gateway.limits()
    except Transient as failure:
        if failure.category is Category.REQUEST_LIMIT:
            return Organization()
        raise
    finally:
        gateway.close()
    return Organization(found.name, found.edition, found.is_sandbox, usage)
