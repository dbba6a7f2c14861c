"""Look-ups that must work before a tenant is known."""

from enum import StrEnum

from django.db import models

from apps.tenants.models.tenant import Tenant


class DirectoryKind(StrEnum):
    """What a key of the directory stands for."""

    MEMBER = "member"
    INVITATION = "invitation"
    OAUTH_STATE = "oauth_state"
    SALESFORCE_ORG = "salesforce_org"
    API_KEY = "api_key"


class DirectoryEntry(models.Model):
    """(kind, hash of a key) → tenant. It holds no data of a tenant, so it stands outside row-level security."""

    pk = models.CompositePrimaryKey("kind", "key_hash", "tenant_id")
    kind = models.CharField(max_length=16)
    key_hash = models.CharField(max_length=64, help_text="SHA-256 of kind and key, in hex.")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_index=False, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key_hash"],
                condition=models.Q(kind=DirectoryKind.SALESFORCE_ORG.value),
                name="directory_org_in_one_tenant",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.tenant_id}"
