"""The story: one account waits to be connected, another is in the middle of its work."""

import secrets

from allauth.account.models import EmailAddress
from django.conf import settings

from apps.core.db import app_transaction
from apps.demo.emulated import EmulatedOrgs
from apps.demo.engagement import tell_engagement
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.grants import connection_from_grant
from apps.integrations.models import Connection
from apps.sync.services import start_full_sync
from apps.tenants.directory import enter, tenants_of
from apps.tenants.models import DirectoryKind, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant

WAITING, BUSY = "Northwind Traders", "Contoso Outdoor"
WAITING_ORG, BUSY_ORG = "Northwind Salesforce", "Contoso Salesforce"
SALESFORCE_PASSWORD = "sync-me-please"  # noqa: S105  # the stand-in's, shown on the screen
WAITING_LOGIN, BUSY_LOGIN = "integration@northwind.example", "integration@contoso.example"
VIEWER_EMAIL = "viewer@syncline.example"
_ENGAGED = 60
_BIG = {"accounts": 5000, "contacts": 10_000, "leads": 25_000, "opportunities": 3000, "campaigns": 12, "members": 4000}
_SMALL = {"accounts": 300, "contacts": 800, "leads": 1500, "opportunities": 200, "campaigns": 6, "members": 400}


def tell(orgs: EmulatedOrgs, email: str, password: str) -> User:
    """Make whatever of the story is missing, and set the owner's password to the one given."""
    owner = _owner(email, password)
    if orgs.find(WAITING_ORG) is None:
        orgs.create(WAITING_ORG, WAITING_LOGIN, SALESFORCE_PASSWORD, seed=7, **_BIG)
    busy_org = orgs.find(BUSY_ORG) or orgs.create(BUSY_ORG, BUSY_LOGIN, SALESFORCE_PASSWORD, seed=11, **_SMALL)
    with app_transaction():
        own = Tenant.objects.filter(pk__in=tenants_of(DirectoryKind.MEMBER, str(owner.pk)))
        names = {tenant.name: tenant for tenant in own}
    if WAITING not in names:
        create_tenant(name=WAITING, owner=owner)
    busy = names.get(BUSY) or create_tenant(name=BUSY, owner=owner)
    with tenant_transaction(busy.pk):
        is_connected = Connection.objects.exists()
    if not is_connected:
        _add_viewer(busy)
        _connect(busy, owner, orgs.grant(busy_org["id"]), orgs.leads(busy_org["id"], _ENGAGED))
    return owner


def _owner(email: str, password: str) -> User:
    with app_transaction():
        owner = User.objects.filter(email=email).first()
        if owner is None:
            owner = User.objects.create_user(email, password, name="Dana Demo")
            EmailAddress.objects.create(user=owner, email=email, verified=True, primary=True)
        elif not owner.check_password(password):
            owner.set_password(password)
            owner.save()
        return owner


def _add_viewer(tenant: Tenant) -> None:
    """A second member to look at; there already when a former start got this far and no further."""
    with tenant_transaction(tenant.pk):
        if User.objects.filter(email=VIEWER_EMAIL).exists():
            return
        viewer = User.objects.create_user(VIEWER_EMAIL, secrets.token_urlsafe(16), name="Vic Viewer")
        Membership.objects.create(user=viewer, role=Role.VIEWER)
        enter(kind=DirectoryKind.MEMBER, key=str(viewer.pk))


def _connect(tenant: Tenant, owner: User, answer: dict[str, str], engaged: list[dict[str, str]]) -> None:
    with tenant_transaction(tenant.pk):
        tell_engagement(owner, engaged)
        connection = connection_from_grant(
            answer=answer, login_url=settings.SALESFORCE_LOGIN_URL, username=BUSY_LOGIN, user=owner
        )
        seed_custom_profile(connection)
        start_full_sync(connection=connection, user=owner, turn_on=True)
