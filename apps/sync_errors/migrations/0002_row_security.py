"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("sync_errors", "0001_initial"),
        ("integrations", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table(
            "sync_errors_syncerror",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
    ]
