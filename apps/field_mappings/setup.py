"""What a new connection starts with: the Custom profile of requirement C07, inbound only."""

from apps.field_mappings.models import FieldMapping, Profile, ProfileKind, SyncStep
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
            ("OwnerId", "owner", ""),
            ("AccountId", "company", ""),
        ),
    ),
)


def seed_custom_profile(connection: Connection) -> Profile:
    """Make the profile with its steps and mappings; a connection that has one keeps it."""
    profile, made = Profile.objects.get_or_create(connection=connection, kind=ProfileKind.CUSTOM)
    if made:
        for position, (sobject, local_type, mappings) in enumerate(STEPS):
            step = SyncStep.objects.create(
                profile=profile, position=position, sobject=sobject, local_type=local_type, direction="pull"
            )
            for number, (remote, local, role) in enumerate(mappings):
                FieldMapping.objects.create(
                    step=step,
                    position=number,
                    remote_field=remote,
                    local_field=local,
                    is_key=role == "key",
                    is_required=bool(role),
                )
    seeded: Profile = profile
    return seeded
