"""The four roles as one table of rights."""

from enum import StrEnum


class Role(StrEnum):
    """What a member is in a tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    MARKETER = "marketer"
    VIEWER = "viewer"

    @property
    def label(self) -> str:
        return self.value.capitalize()


class Right(StrEnum):
    """What a member may be allowed to do."""

    VIEW = "view"
    EDIT_RECORDS = "edit_records"
    RUN_SYNC = "run_sync"
    CLEAR_ERRORS = "clear_errors"
    EDIT_MAPPINGS = "edit_mappings"
    EDIT_SETTINGS = "edit_settings"
    CONNECT = "connect"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_API_KEYS = "manage_api_keys"
    VIEW_AUDIT = "view_audit"
    MANAGE_TENANT = "manage_tenant"


_MARKETER = frozenset(
    {
        Right.VIEW,
        Right.EDIT_RECORDS,
        Right.RUN_SYNC,
        Right.CLEAR_ERRORS,
        Right.EDIT_MAPPINGS,
    }
)
_ADMIN = _MARKETER | {
    Right.EDIT_SETTINGS,
    Right.CONNECT,
    Right.MANAGE_MEMBERS,
    Right.MANAGE_API_KEYS,
    Right.VIEW_AUDIT,
}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: _ADMIN | {Right.MANAGE_TENANT},
    Role.ADMIN: _ADMIN,
    Role.MARKETER: _MARKETER,
    Role.VIEWER: frozenset({Right.VIEW}),
}


def role_has(role: Role, right: Right) -> bool:
    """Whether the table gives ``right`` to ``role``."""
    return right in RIGHTS[role]
