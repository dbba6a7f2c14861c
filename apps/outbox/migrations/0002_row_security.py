"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0001_initial"),
        ("tenants", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table("outbox_outboundchange", hot=True),
    ]
