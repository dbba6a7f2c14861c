"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [
        secure_tenant_table("tenants_membership"),
        secure_tenant_table("tenants_invitation"),
        secure_tenant_table("tenants_auditentry", append_only=True),
    ]
