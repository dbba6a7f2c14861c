"""Row-level security of what members did to records; rows are only added, and go with their record."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("audience", "0004_changes_by_members")]
    operations = [
        secure_tenant_table(
            "audience_consentchange",
            foreign_keys=[ForeignTable("person_id", "audience_person")],
            append_only=True,
        ),
        secure_tenant_table(
            "audience_recordchange",
            foreign_keys=[
                ForeignTable("person_id", "audience_person"),
                ForeignTable("company_id", "audience_company"),
            ],
            append_only=True,
        ),
    ]
