"""What a new connection starts with: the Custom profile of requirement C07, inbound only, and the locked Default
one of C02 beside it."""

from apps.field_mappings.models import FieldMapping, Profile, ProfileKind, StepKind, SyncStep
from apps.integrations.models import Connection

_PERSON = (
    ("Email", "email", "key"),
    ("FirstName", "first_name", "required"),
    ("LastName", "last_name", "required"),
    ("Title", "title", ""),
    ("Phone", "phone", ""),
    ("OwnerId", "owner", ""),
)
STEPS: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Account",
        "company",
        (
            ("Name", "name", "required"),
            ("Website", "website", "key"),
            ("Industry", "industry", ""),
            ("NumberOfEmployees", "employees", ""),
            ("AnnualRevenue", "annual_revenue", ""),
            ("BillingCountry", "billing_country", ""),
            ("BillingCity", "billing_city", ""),
            ("OwnerId", "owner", ""),
        ),
    ),
    ("Contact", "person", (*_PERSON, ("AccountId", "company", ""))),
    ("Lead", "person", (*_PERSON, ("Company", "company_name", ""))),
    (
        "Opportunity",
        "opportunity",
        (
            ("Name", "name", "required"),
            ("Amount", "amount", ""),
            ("StageName", "stage", ""),
            ("CloseDate", "close_date", ""),
            ("IsClosed", "is_closed", ""),
            ("IsWon", "is_won", ""),
            ("OwnerId", "owner", ""),
            ("AccountId", "company", ""),
        ),
    ),
)


_SEEDED = {sobject: mappings for sobject, _, mappings in STEPS}
_DEFAULT_PAIRS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Contact": (*_PERSON[:3], ("AccountId", "company", "")),
    "Lead": (*_PERSON[:3], ("Company", "company_name", "")),
}
"""What the Default profile maps: e-mail, first and last name, company name, which a contact has through its account."""
DEFAULT_STEPS: tuple[tuple[StepKind, str, str, str], ...] = (
    (StepKind.RECORD, "Contact", "person", "pull"),
    (StepKind.RECORD, "Lead", "person", "pull"),
    (StepKind.RECORD, "Contact", "person", "push"),
    (StepKind.RECORD, "Lead", "person", "push"),
    (StepKind.STATUS, "Lead", "sequence_status", "push"),
    (StepKind.STATUS, "Lead", "inbox_state", "push"),
    (StepKind.ACTIVITY, "Contact", "email", "push"),
    (StepKind.ACTIVITY, "Lead", "email", "push"),
    (StepKind.ACTIVITY, "Lead", "task", "push"),
    (StepKind.ACTIVITY, "Contact", "task", "push"),
    (StepKind.ACTIVITY, "Contact", "call", "push"),
    (StepKind.ACTIVITY, "Lead", "call", "push"),
)
"""The twelve steps of the Default profile (C02): kind, sObject, record type or source, direction."""
STATUS_MAPS: dict[str, dict[str, str]] = {
    "sequence_status": {"active": "Working - Contacted", "replied": "Working - Contacted"},
    "inbox_state": {"replied": "Working - Contacted"},
}
"""Statuses that every org has at first; any other state leaves the status of a lead as it is."""


def seed_custom_profile(connection: Connection) -> Profile:
    """Make the profile with its steps and mappings; a connection that has one keeps it."""
    profile, made = Profile.objects.get_or_create(connection=connection, kind=ProfileKind.CUSTOM)
    if made:
        for position, (sobject, local_type, _) in enumerate(STEPS):
            step = SyncStep.objects.create(
                profile=profile, position=position, sobject=sobject, local_type=local_type, direction="pull"
            )
            add_mappings(step)
    seeded: Profile = profile
    return seeded


def seed_default_profile(connection: Connection) -> Profile:
    """Make the locked profile beside the other one, not in use; a connection that has one keeps it."""
    profile, made = Profile.objects.get_or_create(
        connection=connection, kind=ProfileKind.DEFAULT, defaults={"is_active": False}
    )
    if made:
        for position, (kind, sobject, local_type, direction) in enumerate(DEFAULT_STEPS):
            _add_default_step(profile, position, kind, sobject, local_type, direction)
    seeded: Profile = profile
    return seeded


def _add_default_step(
    profile: Profile, position: int, kind: StepKind, sobject: str, local_type: str, direction: str
) -> None:
    pulls = direction == "pull"
    step = SyncStep.objects.create(
        profile=profile,
        position=position,
        kind=kind,
        sobject=sobject,
        local_type=local_type,
        direction=direction,
        create_local=pulls,
        update_local=pulls,
        create_remote=not pulls and kind is not StepKind.STATUS,
        update_remote=not pulls and kind is not StepKind.ACTIVITY,
        value_map=STATUS_MAPS.get(local_type, {}),
    )
    if kind is StepKind.RECORD:
        ways = {"way_in": "overwrite", "way_out": "off"} if pulls else {"way_in": "off", "way_out": "overwrite"}
        _map(step, _DEFAULT_PAIRS[sobject], ways)


def add_mappings(step: SyncStep) -> None:
    """Give a new step what its kind starts with, inbound only."""
    _map(step, _SEEDED.get(step.sobject, ()), {"way_in": "overwrite", "way_out": "off"})


def _map(step: SyncStep, pairs: tuple[tuple[str, str, str], ...], ways: dict[str, str]) -> None:
    for number, (remote, local, role) in enumerate(pairs):
        FieldMapping.objects.create(
            step=step,
            position=number,
            remote_field=remote,
            local_field=local,
            is_key=role == "key",
            is_required=bool(role),
            **ways,
        )
