"""Row-level security of conversions."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("sync", "0013_conversions")]
    operations = [
        secure_tenant_table("sync_conversion", foreign_keys=[ForeignTable("connection_id", "integrations_connection")]),
    ]
