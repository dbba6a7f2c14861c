"""The connection to a Salesforce org and what is known about that org."""

from apps.integrations.models.connections import AuthKind, Connection, ConnectionState, Health
from apps.integrations.models.health import HealthCause, HealthChange
from apps.integrations.models.jobs import (
    ConnectionCheck,
    ConnectionJob,
    JobKind,
    JobState,
)
from apps.integrations.models.metadata import (
    ObjectMetadata,
    ReferenceItem,
    ReferenceKind,
)
from apps.integrations.models.oauth import OAuthAttempt, PasswordAttempt
from apps.integrations.models.packages import PackageInstall
from apps.integrations.models.usage import ApiUsage

__all__ = [
    "ApiUsage",
    "AuthKind",
    "Connection",
    "ConnectionCheck",
    "ConnectionJob",
    "ConnectionState",
    "Health",
    "HealthCause",
    "HealthChange",
    "JobKind",
    "JobState",
    "OAuthAttempt",
    "ObjectMetadata",
    "PackageInstall",
    "PasswordAttempt",
    "ReferenceItem",
    "ReferenceKind",
]
