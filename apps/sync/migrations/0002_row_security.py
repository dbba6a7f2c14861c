"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0001_initial"),
        ("audience", "0002_row_security"),
        ("integrations", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table(
            "sync_recordlink",
            hot=True,
            has_id=False,
            foreign_keys=[
                ForeignTable("person_id", "audience_person"),
                ForeignTable("company_id", "audience_company"),
                ForeignTable("opportunity_id", "audience_opportunity"),
            ],
        ),
        secure_tenant_table(
            "sync_syncrun",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
            dispatcher_columns=["tenant_id", "id", "state", "kind"],
        ),
        secure_tenant_table(
            "sync_runlane",
            foreign_keys=[ForeignTable("run_id", "sync_syncrun")],
            dispatcher_columns=[
                "tenant_id",
                "id",
                "run_id",
                "name",
                "due_at",
                "lease_until",
                "is_done",
            ],
        ),
        secure_tenant_table("sync_runobject", foreign_keys=[ForeignTable("run_id", "sync_syncrun")]),
        secure_tenant_table(
            "sync_runpage",
            foreign_keys=[ForeignTable("run_object_id", "sync_runobject")],
        ),
        secure_tenant_table("sync_runentry", hot=True, has_id=False),
        secure_tenant_table(
            "sync_watermark",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
        secure_tenant_table(
            "sync_writeintent",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
    ]
