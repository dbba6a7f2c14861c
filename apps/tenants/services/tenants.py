"""Making a tenant, and choosing among one's own."""

from apps.core.db import app_transaction
from apps.tenants.audit import audit
from apps.tenants.directory import enter
from apps.tenants.models import DirectoryKind, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction


def create_tenant(*, name: str, owner: User) -> Tenant:
    """A new customer account with ``owner`` as its first member."""
    with app_transaction():
        tenant = Tenant.objects.create(name=name.strip())
    with tenant_transaction(tenant.pk):
        Membership.objects.create(user=owner, role=Role.OWNER)
        enter(kind=DirectoryKind.MEMBER, key=str(owner.pk))
        audit(actor=owner, action="tenant_created", subject=tenant.name)
    return tenant
