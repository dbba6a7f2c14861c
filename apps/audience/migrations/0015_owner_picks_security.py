"""Row-level security of which user of the CRM a member is; a pick goes with its member."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("audience", "0014_owner_picks")]
    operations = [
        secure_tenant_table("audience_ownerpick", foreign_keys=[ForeignTable("member_id", "tenants_membership")]),
    ]
