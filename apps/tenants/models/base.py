"""What every tenant's table has in common."""

from typing import Any, ClassVar

from django.db import models

from apps.tenants.models.tenant import Tenant
from apps.tenants.scope import current_tenant_id


class TenantQuerySet(models.QuerySet[Any]):
    """A query set of one tenant's rows."""


class TenantManager(models.Manager[Any]):
    """Answers only inside a tenant's transaction; outside it raises NoTenant."""

    def get_queryset(self) -> TenantQuerySet:
        current_tenant_id()
        return TenantQuerySet(self.model, using=self._db)


class TenantModel(models.Model):
    """A row that belongs to exactly one tenant.

    PostgreSQL holds the rule: the table's row-level security admits only rows of the transaction's tenant, and
    its primary key begins with the tenant (see ``apps.tenants.schema``), so that one tenant's rows lie together.
    """

    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        default=current_tenant_id,
        editable=False,
        related_name="+",
    )

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta:
        abstract = True
