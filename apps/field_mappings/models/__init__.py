"""Profiles, sync steps, field mappings, and the versions that runs use."""

from apps.field_mappings.models.profiles import (
    FieldMapping,
    Profile,
    ProfileKind,
    StepKind,
    SyncStep,
)
from apps.field_mappings.models.versions import BaselineLayout, MappingVersion

__all__ = [
    "BaselineLayout",
    "FieldMapping",
    "MappingVersion",
    "Profile",
    "ProfileKind",
    "StepKind",
    "SyncStep",
]
