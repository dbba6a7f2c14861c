"""What can go wrong, as one tree, and which remedy each kind has.

Failure
├── Transient        wait: an outage, a limit, a lock
├── AuthorizationLost  reconnect: the grant is gone
├── NotPermitted     fix rights in Salesforce
├── MappingBroken    fix the mapping: a field or object is gone
├── JobLost          the Bulk job or its result is gone: ask anew
└── Internal         tell us

The failure of one row is a value (``RowFailure``), never an exception.
"""

from dataclasses import dataclass
from enum import StrEnum


class Remedy(StrEnum):
    """What helps."""

    WAIT = "wait"
    RECONNECT = "reconnect"
    FIX_MAPPING = "fix_mapping"
    FIX_RECORD = "fix_record"
    CHOOSE_VALUE = "choose_value"
    TELL_US = "tell_us"


class Category(StrEnum):
    """What happened; the words and the remedy of each are in ``apps.domain.remedies``."""

    INVALID_GRANT = "invalid_grant"
    APP_NOT_INSTALLED = "app_not_installed"
    ACCESS_DENIED = "access_denied"
    API_DISABLED = "api_disabled"
    INSUFFICIENT_ACCESS = "insufficient_access"
    REQUEST_LIMIT = "request_limit"
    CONCURRENT_LIMIT = "concurrent_limit"
    UNAVAILABLE = "unavailable"
    MAINTENANCE = "maintenance"
    UNTRUSTED_HOST = "untrusted_host"
    SESSION_EXPIRED = "session_expired"
    REQUIRED_FIELD_MISSING = "required_field_missing"
    RESTRICTED_PICKLIST = "restricted_picklist"
    TOO_LONG = "too_long"
    INVALID_EMAIL = "invalid_email"
    INVALID_VALUE = "invalid_value"
    DUPLICATE_DETECTED = "duplicate_detected"
    DUPLICATE_VALUE = "duplicate_value"
    ROW_LOCKED = "row_locked"
    VALIDATION_RULE = "validation_rule"
    CONVERTED_LEAD = "converted_lead"
    RECORD_DELETED = "record_deleted"
    BAD_REFERENCE = "bad_reference"
    FIELD_GONE = "field_gone"
    OBJECT_GONE = "object_gone"
    OWNER_INACTIVE = "owner_inactive"
    STORAGE_LIMIT = "storage_limit"
    RECORD_LOCKED = "record_locked"
    QUERY_TOO_SLOW = "query_too_slow"
    MALFORMED_QUERY = "malformed_query"
    CURSOR_EXPIRED = "cursor_expired"
    JOB_GONE = "job_gone"
    JOB_FAILED = "job_failed"
    BULK_UNSUPPORTED = "bulk_unsupported"
    AMBIGUOUS_MATCH = "ambiguous_match"
    IDENTITY_TAKEN = "identity_taken"
    UNREADABLE_VALUE = "unreadable_value"
    MISSING_PARENT = "missing_parent"
    ROWS_OUT_OF_SIGHT = "rows_out_of_sight"
    CHANGED_BACK = "changed_back"
    OPT_OUT_UNTICKED = "opt_out_unticked"
    CONFIGURATION = "configuration"
    INTERNAL = "internal"


class Failure(Exception):
    """Something outside failed. ``str()`` is a sentence for a person and holds no answer's body.

    It may cross processes: pickling keeps everything.
    """

    def __init__(
        self,
        category: Category,
        message: str,
        *,
        fields: tuple[str, ...] = (),
        raw: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(category, message)
        self.category = category
        self.message = message
        self.fields = fields
        self.raw = raw[:4000]
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


class Transient(Failure):
    """It passes by itself: wait and try again."""


class AuthorizationLost(Failure):
    """A person must reconnect."""


class NotPermitted(Failure):
    """The sync user lacks a right, or the edition has no API."""


class MappingBroken(Failure):
    """A field or object of the mapping is gone, hidden or retyped."""


class JobLost(Failure):
    """A Bulk job, its result or a query's cursor is gone: ask anew."""


class Internal(Failure):
    """An answer or a state that should not be: ours to mend."""


@dataclass(frozen=True, slots=True)
class RowFailure:
    """Why one row was refused."""

    category: Category
    message: str
    fields: tuple[str, ...] = ()
    matched_ids: tuple[str, ...] = ()
    raw: str = ""
