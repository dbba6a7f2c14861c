"""What happened and what helps, in a marketer's words, for every category of failure."""

from dataclasses import dataclass

from apps.domain.failures import Category, Remedy


@dataclass(frozen=True, slots=True)
class Words:
    """Title, cause and remedy of a category."""

    title: str
    cause: str
    help: str
    remedy: Remedy


def _w(title: str, cause: str, help_: str, remedy: Remedy) -> Words:
    return Words(title, cause, help_, remedy)


_C, _R = Category, Remedy

WORDS: dict[Category, Words] = {
    _C.INVALID_GRANT: _w(
        "Salesforce no longer accepts our access",
        "The permission was revoked, expired, or the sync user was deactivated.",
        "Press Reconnect and log in as the sync user.",
        _R.RECONNECT,
    ),
    _C.APP_NOT_INSTALLED: _w(
        "The app is not installed in your org",
        "Since September 2025 Salesforce blocks uninstalled apps for ordinary users.",
        "Ask a Salesforce administrator to connect once, or to install the app.",
        _R.RECONNECT,
    ),
    _C.ACCESS_DENIED: _w(
        "Access was not allowed",
        "Somebody pressed Deny in Salesforce.",
        "Connect again and press Allow.",
        _R.RECONNECT,
    ),
    _C.API_DISABLED: _w(
        "The API is switched off",
        "This edition has no API, or the sync user lacks “API Enabled”.",
        "Give the sync user “API Enabled”, or ask Salesforce for API access.",
        _R.RECONNECT,
    ),
    _C.INSUFFICIENT_ACCESS: _w(
        "The sync user may not do this",
        "Salesforce refused the sync user access to the record or field.",
        "Give the sync user “Modify All Data”, or the named object and field permissions.",
        _R.FIX_RECORD,
    ),
    _C.REQUEST_LIMIT: _w(
        "Salesforce's daily API limit is used up",
        "Your org's calls of the last 24 hours are spent.",
        "Wait, or choose a lower sync frequency.",
        _R.WAIT,
    ),
    _C.CONCURRENT_LIMIT: _w(
        "Salesforce is busy",
        "Too many long requests at once in your org.",
        "Nothing to do: it is tried again.",
        _R.WAIT,
    ),
    _C.UNAVAILABLE: _w(
        "Salesforce cannot be reached",
        "It did not answer, or answered that it is unavailable.",
        "Nothing to do: it is tried again.",
        _R.WAIT,
    ),
    _C.MAINTENANCE: _w(
        "Salesforce is under maintenance",
        "Your org can be read, but nothing can be saved in it for now.",
        "Nothing to do: it goes on when the maintenance ends.",
        _R.WAIT,
    ),
    _C.UNTRUSTED_HOST: _w(
        "This host is not Salesforce",
        "The address is not one of Salesforce's own.",
        "Use login.salesforce.com, test.salesforce.com or your My Domain.",
        _R.TELL_US,
    ),
    _C.SESSION_EXPIRED: _w(
        "The session had expired",
        "Salesforce ends sessions after a while.",
        "Nothing to do: it is renewed.",
        _R.WAIT,
    ),
    _C.REQUIRED_FIELD_MISSING: _w(
        "A required field is empty",
        "Salesforce asks for a value that is missing.",
        "Map the field or set a default.",
        _R.CHOOSE_VALUE,
    ),
    _C.RESTRICTED_PICKLIST: _w(
        "A value is not on Salesforce's list",
        "The picklist accepts only its own values.",
        "Translate the value in the mapping, or add it in Salesforce.",
        _R.CHOOSE_VALUE,
    ),
    _C.TOO_LONG: _w("A value is too long", "The field holds fewer characters.", "Shorten the value.", _R.FIX_RECORD),
    _C.INVALID_EMAIL: _w(
        "The e-mail address is not valid",
        "Salesforce or Syncline refused it.",
        "Correct the address.",
        _R.FIX_RECORD,
    ),
    _C.INVALID_VALUE: _w(
        "A value does not fit its field", "It cannot be stored as it is.", "Correct the value.", _R.FIX_RECORD
    ),
    _C.DUPLICATE_DETECTED: _w(
        "Salesforce found a duplicate",
        "A duplicate rule stopped the record.",
        "Link it with the record that Salesforce named.",
        _R.CHOOSE_VALUE,
    ),
    _C.DUPLICATE_VALUE: _w(
        "The value is already taken",
        "A unique field has this value elsewhere.",
        "Look for the other record.",
        _R.FIX_RECORD,
    ),
    _C.ROW_LOCKED: _w("The record was busy", "Somebody else was saving it.", "It is tried again.", _R.WAIT),
    _C.VALIDATION_RULE: _w(
        "A validation rule refused it",
        "A rule of your Salesforce said no.",
        "Do what its message says.",
        _R.FIX_RECORD,
    ),
    _C.CONVERTED_LEAD: _w(
        "The lead is converted",
        "Converted leads cannot be changed.",
        "Its contact is used from now on.",
        _R.FIX_RECORD,
    ),
    _C.RECORD_DELETED: _w(
        "The record was deleted",
        "It is gone from Salesforce.",
        "Restore it there, if it is still needed.",
        _R.FIX_RECORD,
    ),
    _C.BAD_REFERENCE: _w(
        "It refers to a record that is not there",
        "The other record is missing.",
        "Sync the other record first.",
        _R.FIX_RECORD,
    ),
    _C.FIELD_GONE: _w(
        "A field is gone",
        "It was deleted, renamed or hidden from the sync user.",
        "Restore it, or change the mapping.",
        _R.FIX_MAPPING,
    ),
    _C.OBJECT_GONE: _w(
        "An object is gone",
        "It does not exist, or the sync user cannot see it.",
        "Restore access, or switch the object off.",
        _R.FIX_MAPPING,
    ),
    _C.OWNER_INACTIVE: _w(
        "The owner is inactive",
        "The Salesforce user was deactivated.",
        "Choose another owner.",
        _R.CHOOSE_VALUE,
    ),
    _C.STORAGE_LIMIT: _w(
        "Salesforce's storage is full",
        "Your org has no room left.",
        "Free some storage in Salesforce.",
        _R.WAIT,
    ),
    _C.RECORD_LOCKED: _w(
        "The record is locked", "An approval in Salesforce locks it.", "Wait for the approval.", _R.WAIT
    ),
    _C.QUERY_TOO_SLOW: _w(
        "Salesforce needed too long",
        "The question was too large.",
        "Smaller parts are asked by themselves. Where that is not enough: map fewer formula fields of this object.",
        _R.WAIT,
    ),
    _C.MALFORMED_QUERY: _w(
        "Salesforce did not understand the question", "This is a fault of ours.", "Tell us.", _R.TELL_US
    ),
    _C.CURSOR_EXPIRED: _w("A result had expired", "It is kept for a time only.", "It is asked again.", _R.WAIT),
    _C.JOB_GONE: _w("A Bulk job is gone", "It was deleted or has expired.", "It is asked again.", _R.WAIT),
    _C.JOB_FAILED: _w("A Bulk job failed", "Salesforce stopped it.", "It is asked again.", _R.WAIT),
    _C.BULK_UNSUPPORTED: _w(
        "Not available in bulk",
        "Salesforce does not offer this object in bulk.",
        "It is left out.",
        _R.TELL_US,
    ),
    _C.AMBIGUOUS_MATCH: _w(
        "Several records fit", "More than one could be the same.", "Choose which one it is.", _R.CHOOSE_VALUE
    ),
    _C.IDENTITY_TAKEN: _w(
        "The e-mail belongs to somebody else",
        "Another person here already has this address.",
        "Correct the address, or merge the two in Salesforce.",
        _R.FIX_RECORD,
    ),
    _C.UNREADABLE_VALUE: _w(
        "A value cannot be read",
        "It does not fit the field's type.",
        "Correct the value in Salesforce.",
        _R.FIX_RECORD,
    ),
    _C.MISSING_PARENT: _w(
        "Its parent is not here",
        "The record it belongs to is not synced.",
        "Sync the parent first.",
        _R.FIX_RECORD,
    ),
    _C.ROWS_OUT_OF_SIGHT: _w(
        "Salesforce shows fewer records than before",
        "Many records can no longer be seen, and none of them is deleted: sharing or permissions have changed.",
        "Give the sync user “View All” again, or run a full sync once you are sure that they are gone.",
        _R.FIX_RECORD,
    ),
    _C.CHANGED_BACK: _w(
        "Your org changes our value back",
        "A flow, trigger or formula in Salesforce replaced the value each time it was written.",
        "Change that automation, or let Salesforce rule this field in the mapping.",
        _R.FIX_MAPPING,
    ),
    _C.OPT_OUT_UNTICKED: _w(
        "An opt-out was taken back in Salesforce",
        "This person has unsubscribed here. Only they can subscribe again.",
        "Tick Email Opt Out in Salesforce, or record here that and where they have subscribed again.",
        _R.FIX_RECORD,
    ),
    _C.CONFIGURATION: _w("A setting is wrong", "The app's settings do not fit.", "Tell us.", _R.TELL_US),
    _C.INTERNAL: _w(
        "Something went wrong here", "This is a fault of ours.", "Tell us; it is written down.", _R.TELL_US
    ),
}


def words_for(category: str) -> Words:
    """The words of a category by its stored name; those of an internal fault for a name of another release."""
    try:
        return WORDS[Category(category)]
    except ValueError:
        return WORDS[Category.INTERNAL]
