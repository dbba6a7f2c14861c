"""Row-level security of installations."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0010_package_installs"),
        ("tenants", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table(
            "integrations_packageinstall", foreign_keys=[ForeignTable("connection_id", "integrations_connection")]
        ),
    ]
