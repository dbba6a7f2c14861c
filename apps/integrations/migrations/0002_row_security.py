"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0001_initial"),
        ("tenants", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table("integrations_connection"),
        secure_tenant_table("integrations_oauthattempt"),
        secure_tenant_table(
            "integrations_objectmetadata",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
        secure_tenant_table(
            "integrations_referenceitem",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
        secure_tenant_table(
            "integrations_connectionjob",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
            dispatcher_columns=["tenant_id", "id", "state", "due_at", "lease_until"],
        ),
        secure_tenant_table(
            "integrations_connectioncheck",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
        secure_tenant_table(
            "integrations_apiusage",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
    ]
