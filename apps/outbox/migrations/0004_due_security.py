"""Row-level security for what is due."""

from django.db import migrations

from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("outbox", "0003_differential_and_push"), ("tenants", "0002_row_security")]
    operations = [
        secure_tenant_table("outbox_outboxdue", dispatcher_columns=["tenant_id", "due_at"]),
    ]
