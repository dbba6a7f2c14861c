"""Row-level security for schedules."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("sync", "0003_differential_and_push"), ("integrations", "0002_row_security")]
    operations = [
        secure_tenant_table(
            "sync_schedule",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
            dispatcher_columns=["tenant_id", "connection_id", "differential_due_at", "sweep_due_at"],
        ),
    ]
