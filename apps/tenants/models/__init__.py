"""Tenants, users, members, invitations, the directory and the audit log."""

from apps.tenants.models.api_keys import ApiKey, Scope
from apps.tenants.models.audit import AuditEntry
from apps.tenants.models.base import TenantManager, TenantModel, TenantQuerySet
from apps.tenants.models.directory import DirectoryEntry, DirectoryKind
from apps.tenants.models.members import Invitation, Membership
from apps.tenants.models.tenant import Tenant
from apps.tenants.models.user import User, UserManager

__all__ = [
    "ApiKey",
    "AuditEntry",
    "DirectoryEntry",
    "DirectoryKind",
    "Invitation",
    "Membership",
    "Scope",
    "Tenant",
    "TenantManager",
    "TenantModel",
    "TenantQuerySet",
    "User",
    "UserManager",
]
