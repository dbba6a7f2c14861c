"""Row-level security and the tenant-first primary key."""

from django.db import migrations

from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("embedded", "0001_initial"),
        ("tenants", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table("embedded_signedrequest"),
    ]
