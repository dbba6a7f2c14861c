"""Row-level security and tenant-first primary keys."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("sync_actions", "0001_initial"),
        ("audience", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table("sync_actions_rule"),
        secure_tenant_table(
            "sync_actions_reaction",
            foreign_keys=[ForeignTable("rule_id", "sync_actions_rule")],
            hot=True,
        ),
        secure_tenant_table("sync_actions_rulesdue", dispatcher_columns=("tenant_id", "due_at")),
        secure_tenant_table("sync_actions_rulerun"),
        secure_tenant_table("sync_actions_crmaction", foreign_keys=[ForeignTable("person_id", "audience_person")]),
    ]
