"""A tenant and its org, made empty and set up for each history."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import connections
from django.utils.text import slugify

from apps.core.db import app_transaction
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.grants import connection_from_grant
from apps.integrations.metadata import refresh_metadata
from apps.sync.models import Schedule, Watermark
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant
from emulator.local import LocalEmulator
from tests.histories.history import Setup

LEAD = {"first": "FirstName", "title": "Title", "phone": "Phone", "city": "City", "fax": "Fax"}
CONTACT = {**LEAD, "city": "MailingCity"}
LOCAL = {"first": "first_name", "title": "title", "phone": "phone", "city": "city", "fax": "fax"}
REMOTE = {"Lead": LEAD, "Contact": CONTACT}
SYNC_USER = "sync@histories.example"
EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_TABLES = (
    "outbox_outboundchange",
    "outbox_outboxdue",
    "sync_writeintent",
    "sync_runentry",
    "sync_runpage",
    "sync_runobject",
    "sync_runlane",
    "sync_syncrun",
    "sync_recordlink",
    "sync_watermark",
    "sync_schedule",
    "sync_errors_syncerror",
    "audience_personword",
    "audience_consentchange",
    "audience_listmembership",
    "audience_person",
    "audience_company",
    "notifications_notice",
    "integrations_apiusage",
)


class Grounds:
    """One tenant and one org, with the package or without, made empty for each history."""

    def __init__(self, local: LocalEmulator, *, has_package: bool) -> None:
        self.local = local
        name = "With package" if has_package else "Without package"
        self.org_id = local.control.create_org(name=name, package_fields=has_package)["id"]
        # Rows that the sync makes are told from those of people by who made them.
        self.sync_user = local.control.add_user(self.org_id, SYNC_USER, profile="System Administrator")["id"]
        with app_transaction():
            self.user = User.objects.create_user(f"{slugify(name)}@example.com", "histories", name=name)
        self.tenant_id = create_tenant(name=name, owner=self.user).pk
        with tenant_transaction(self.tenant_id):
            self.connection = connection_from_grant(
                answer=local.control.grant(self.org_id, user=SYNC_USER),
                login_url=settings.SALESFORCE_LOGIN_URL,
                username=SYNC_USER,
                user=self.user,
            )
            seed_custom_profile(self.connection)
        refresh_metadata(self.tenant_id, self.connection.pk)

    def prepare(self, setup: Setup) -> None:
        """Empty ground, set up for a history."""
        self._empty_database()
        self._empty_org()
        with tenant_transaction(self.tenant_id):
            self._set_up(setup)

    def _empty_database(self) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(_TABLES)} CASCADE")

    def _empty_org(self) -> None:
        control = self.local.control
        for sobject in ("CampaignMember", "Lead", "Contact", "Account"):
            for row in control.query(self.org_id, f"SELECT Id FROM {sobject}"):
                control.purge(self.org_id, sobject, row["Id"])
        control.clear_rules(self.org_id)
        control.clear_faults()
        control.hide(self.org_id)

    def _set_up(self, setup: Setup) -> None:
        connection = self.connection
        settings_of(connection)
        SyncSettings.objects.update(
            syncs_enabled=True,
            push_automatically=True,
            blank_in=setup.blank_in,
            blank_out=setup.blank_out,
            default_last_name="Person",
            default_account_name="Acme",
            api_share_percent=100,
        )
        for step in SyncStep.objects.filter(sobject__in=["Lead", "Contact"]):
            SyncStep.objects.filter(id=step.pk).update(
                direction="two_way",
                create_remote=setup.creates and step.sobject == "Lead",
                update_remote=True,
            )
            FieldMapping.objects.filter(step=step).delete()
            FieldMapping.objects.create(
                step=step,
                position=0,
                remote_field="Email",
                local_field="email",
                way_in="overwrite",
                way_out="overwrite",
                is_key=True,
            )
            for position, (name, way_in, way_out, winner) in enumerate(setup.rules, 1):
                FieldMapping.objects.create(
                    step=step,
                    position=position,
                    remote_field=REMOTE[step.sobject][name],
                    local_field=LOCAL[name],
                    way_in=way_in,
                    way_out=way_out,
                    winner=winner,
                )
        for sobject in ("Lead", "Contact"):
            Watermark.objects.create(connection_id=connection.pk, sobject=sobject, covered_to=EPOCH)
        Schedule.objects.create(connection_id=connection.pk)
