"""Pre-flight: what is needed for syncing, judged from the org's own describes, profile and limits; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from apps.domain.automatic import AUTOMATIC_FIELDS
from apps.salesforce.schema import ObjectSchema

CORE_OBJECTS = ("Account", "Contact", "Lead")
_FEW_CALLS = 1000
_DEFAULT_LIFE = timedelta(days=90)
"""How long a password holds where nobody changed “User passwords expire in” of Salesforce's Password Policies."""
_PACKAGE_OBJECTS = ("Lead", "Contact")
_WITHOUT_CAMPAIGNS = frozenset({"Team Edition", "Base Edition", "Personal Edition", "Essentials Edition"})
"""``Organization.OrganizationType`` of editions without Campaigns and, by default, without API."""


class Outcome(StrEnum):
    """The answer to a question; ``not_checked`` where Salesforce does not tell, which never blocks."""

    PASS = "pass"  # noqa: S105  # an outcome, not a password
    WARNING = "warning"
    BLOCKER = "blocker"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Rights:
    """Flags of the sync user from profile and permission sets; None where Salesforce gave no answer."""

    api_enabled: bool | None = None
    modify_all: bool | None = None
    marketing_user: bool | None = None
    password_never_expires: bool | None = None
    password_changed: str = ""


@dataclass(frozen=True, slots=True)
class OrgState:
    """Everything that the questions are asked of."""

    edition: str
    schemas: Mapping[str, ObjectSchema]
    rights: Rights = field(default_factory=Rights)
    needed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    writes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    calls_left: int | None = None
    calls_allowed: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    key: str
    title: str
    outcome: Outcome
    finding: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class _Flag:
    """A right that the sync user has, lacks, or of which nothing is known."""

    key: str
    title: str
    attribute: str
    lacking: Outcome
    good: str
    bad: str
    fix: str


_FLAGS = (
    _Flag(
        "api_enabled",
        "API Enabled",
        "api_enabled",
        Outcome.WARNING,
        "The sync user may use the API.",
        "The profile of the sync user does not name “API Enabled”.",
        "Add “API Enabled” to the profile or a permission set of the sync user.",
    ),
    _Flag(
        "modify_all",
        "Modify All Data",
        "modify_all",
        Outcome.WARNING,
        "The sync user sees every record.",
        "The sync user may see only part of your records; what it cannot see is not synced.",
        "Give the sync user the profile System Administrator, or “Modify All Data” by a permission set.",
    ),
    _Flag(
        "marketing_user",
        "Marketing User",
        "marketing_user",
        Outcome.WARNING,
        "The sync user may work with Campaigns.",
        "Without it, Campaigns cannot be created from here.",
        "In Salesforce, open the sync user and tick “Marketing User”.",
    ),
    _Flag(
        "password",
        "Password never expires",
        "password_never_expires",
        Outcome.WARNING,
        "The sync user's password does not run out.",
        "The password of the sync user runs out one day, and the sync stops with it.",
        "Give the sync user a profile or permission set with “Password Never Expires”.",
    ),
)


def findings(state: OrgState) -> list[Finding]:
    """All answers, in the order in which they are shown."""
    found = [
        Finding("api", "API access", Outcome.PASS, "Salesforce answers through its API."),
        _edition(state.edition),
        *(_flag(flag, state.rights) for flag in _FLAGS),
    ]
    for name in dict.fromkeys((*CORE_OBJECTS, *state.needed)):
        found.append(_object(name, state.schemas.get(name)))
        if name in state.schemas and state.needed.get(name):
            found.append(_fields(name, state.schemas[name], state.needed[name]))
    found += [_writes(name, state.schemas.get(name), need) for name, need in state.writes.items()]
    return [
        *found,
        _opt_out(state.schemas),
        _campaigns(state),
        _person_accounts(state.schemas),
        _package(state.schemas),
        _allowance(state),
        Finding(
            "web_to_lead",
            "Web-to-Lead response template",
            Outcome.NOT_CHECKED,
            "Salesforce does not show this setting through its API.",
            "If Web-to-Lead has a default response template, every lead made by a sync may get that e-mail: remove it.",
        ),
    ]


def api_closed(reason: str) -> list[Finding]:
    """The one answer of an org whose API is closed to us (fault F08)."""
    return [
        Finding(
            "api",
            "API access",
            Outcome.BLOCKER,
            f"Salesforce refuses its API: {reason}",
            "Enterprise, Unlimited, Performance and Developer Edition have the API; Professional needs the add-on. "
            "The sync user needs “API Enabled”.",
        )
    ]


def _edition(edition: str) -> Finding:
    if not edition:
        return Finding("edition", "Edition", Outcome.NOT_CHECKED, "Salesforce did not tell its edition.")
    if edition in _WITHOUT_CAMPAIGNS:
        return Finding(
            "edition",
            "Edition",
            Outcome.WARNING,
            f"{edition} has no Campaigns.",
            "In the settings, tick “Using Salesforce Group/Essentials Edition”.",
        )
    return Finding("edition", "Edition", Outcome.PASS, f"{edition} can be synced.")


def _flag(flag: _Flag, rights: Rights) -> Finding:
    value: bool | None = getattr(rights, flag.attribute)
    if value is None:
        return Finding(flag.key, flag.title, Outcome.NOT_CHECKED, "Salesforce gave no answer to this.", flag.fix)
    if value:
        return Finding(flag.key, flag.title, Outcome.PASS, flag.good)
    return Finding(flag.key, flag.title, flag.lacking, flag.bad + _last_changed(flag, rights), flag.fix)


def _last_changed(flag: _Flag, rights: Rights) -> str:
    """When a password that runs out was set, and until when it holds under the default policy. The org's own policy is
    not told by the API."""
    if flag.attribute != "password_never_expires" or not rights.password_changed:
        return ""
    try:
        day = date.fromisoformat(rights.password_changed[:10])
        until = day + _DEFAULT_LIFE
    except (ValueError, OverflowError):
        return ""
    return (
        f" It was last set on {day.day} {day:%B %Y}. Under Salesforce's default of {_DEFAULT_LIFE.days} days it holds "
        f"until {until.day} {until:%B %Y}; your org's password policy may say otherwise."
    )


def _object(name: str, schema: ObjectSchema | None) -> Finding:
    key, title = f"object_{name}", f"{name} can be read"
    if schema is not None and schema.queryable:
        return Finding(key, title, Outcome.PASS, f"The sync user sees {len(schema.fields)} fields of {name}.")
    return Finding(
        key,
        title,
        Outcome.BLOCKER if name in CORE_OBJECTS else Outcome.WARNING,
        f"The sync user cannot see {name}; it is not synced.",
        f"Give the sync user read access to {name}.",
    )


def _fields(name: str, schema: ObjectSchema, needed: Sequence[str]) -> Finding:
    key, title = f"fields_{name}", f"Mapped fields of {name}"
    hidden = [wanted for wanted in needed if wanted not in schema.fields]
    if not hidden:
        return Finding(key, title, Outcome.PASS, f"All {len(needed)} mapped fields can be read.")
    return Finding(
        key,
        title,
        Outcome.WARNING,
        f"Hidden from the sync user, or gone: {', '.join(hidden)}. Only their mappings pause.",
        "Make the fields visible to the sync user (field-level security), or remove their mappings.",
    )


def _writes(name: str, schema: ObjectSchema | None, need: Mapping[str, Any]) -> Finding:
    """Whether the sync user may make and change rows of an object, and set every field that the steps send."""
    key, title = f"writes_{name}", f"{name} can be written"
    fix = f"Give the sync user the rights to create and edit {name}, and edit access to its fields."
    if schema is None:
        words = f"The steps write to {name}, which the sync user cannot see."
        return Finding(key, title, Outcome.WARNING, words, fix)
    lacking = [
        word
        for word, wanted, may in (
            ("create", need.get("create"), schema.createable),
            ("edit", need.get("update"), schema.updateable),
        )
        if wanted and not may
    ]
    if lacking:
        words = f"The sync user may not {' or '.join(lacking)} {name}: changes for it are refused."
        return Finding(key, title, Outcome.WARNING, words, fix)
    closed = [
        wanted
        for wanted in need.get("fields", [])
        if wanted in schema.fields
        and not (
            (need.get("update") and schema.fields[wanted].updateable)
            or (need.get("create") and schema.fields[wanted].createable)
        )
    ]
    if closed:
        words = f"The sync user may not set {', '.join(closed)}. Changes of them are refused."
        return Finding(key, title, Outcome.WARNING, words, fix)
    words = f"Rows can be written, and all {len(need.get('fields', []))} fields that go out can be set."
    return Finding(key, title, Outcome.PASS, words)


def _opt_out(schemas: Mapping[str, ObjectSchema]) -> Finding:
    hidden = [n for n in ("Lead", "Contact") if n in schemas and "HasOptedOutOfEmail" not in schemas[n].fields]
    title = "Email Opt Out visible"
    if not hidden:
        return Finding("opt_out", title, Outcome.PASS, "Unsubscribes can be kept in line.")
    return Finding(
        "opt_out",
        title,
        Outcome.WARNING,
        f"Email Opt Out is hidden on {' and '.join(hidden)}, as in every new org: unsubscribes made in Salesforce "
        "are not seen.",
        "In Setup, make the field HasOptedOutOfEmail visible to the sync user (field-level security).",
    )


def _campaigns(state: OrgState) -> Finding:
    if "Campaign" in state.schemas:
        return Finding("campaigns", "Campaigns", Outcome.PASS, "Campaigns and their members can be synced.")
    return Finding(
        "campaigns",
        "Campaigns",
        Outcome.PASS if state.edition in _WITHOUT_CAMPAIGNS else Outcome.WARNING,
        "The sync user sees no Campaigns; they are left out.",
        "Campaigns need Professional Edition or above, and read access for the sync user.",
    )


def _person_accounts(schemas: Mapping[str, ObjectSchema]) -> Finding:
    used = "Account" in schemas and "IsPersonAccount" in schemas["Account"].fields
    words = "In use: they come in as people." if used else "Not in use in this org."
    return Finding("person_accounts", "Person accounts", Outcome.PASS, words)


def _package(schemas: Mapping[str, ObjectSchema]) -> Finding:
    title = "Syncline fields in Salesforce"
    shown = [n for n in _PACKAGE_OBJECTS if n in schemas]
    lacking = [n for n in shown if "Syncline_Id__c" not in schemas[n].fields]
    if not lacking:
        missing = sorted(
            {name for n in shown for name, _ in AUTOMATIC_FIELDS.values() if name not in schemas[n].fields}
        )
        if not missing:
            return Finding("package", title, Outcome.PASS, "Syncline's own fields are there.")
        return Finding(
            "package",
            title,
            Outcome.WARNING,
            f"Score, visit and touches are not told to these fields, which the sync user cannot see: "
            f"{', '.join(missing)}.",
            "Install the package again (Integrations, Salesforce, Package), or let the sync user read and edit them.",
        )
    return Finding(
        "package",
        title,
        Outcome.WARNING,
        "They are not installed yet. Bringing data in works without them; people are matched by e-mail, and score, "
        "visits and touches are not told to Salesforce.",
        "Nothing to do for now: the last step of the setup, Package, installs them.",
    )


def _allowance(state: OrgState) -> Finding:
    if state.calls_left is None or state.calls_allowed is None:
        return Finding("allowance", "API allowance", Outcome.NOT_CHECKED, "Salesforce gave no answer to this.")
    words = f"{state.calls_left:,} of {state.calls_allowed:,} calls are left in these 24 hours."
    if state.calls_left > min(_FEW_CALLS, state.calls_allowed // 10):
        return Finding("allowance", "API allowance", Outcome.PASS, words)
    fix = "Wait until calls are free again, or lower the use of other tools in Salesforce."
    return Finding("allowance", "API allowance", Outcome.WARNING, words, fix)
