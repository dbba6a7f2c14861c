"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0001_initial"),
        ("tenants", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table("audience_owner"),
        secure_tenant_table("audience_customfield"),
        secure_tenant_table(
            "audience_company",
            hot=True,
            foreign_keys=[ForeignTable("owner_id", "audience_owner", "SET NULL")],
        ),
        secure_tenant_table(
            "audience_person",
            hot=True,
            foreign_keys=[
                ForeignTable("company_id", "audience_company", "SET NULL"),
                ForeignTable("owner_id", "audience_owner", "SET NULL"),
            ],
        ),
        secure_tenant_table(
            "audience_personword",
            hot=True,
            has_id=False,
            foreign_keys=[ForeignTable("person_id", "audience_person")],
        ),
        secure_tenant_table(
            "audience_opportunity",
            hot=True,
            foreign_keys=[
                ForeignTable("company_id", "audience_company", "SET NULL"),
                ForeignTable("owner_id", "audience_owner", "SET NULL"),
            ],
        ),
        secure_tenant_table(
            "audience_opportunitycontactrole",
            hot=True,
            foreign_keys=[
                ForeignTable("opportunity_id", "audience_opportunity"),
                ForeignTable("person_id", "audience_person"),
            ],
        ),
        secure_tenant_table("audience_list"),
        secure_tenant_table(
            "audience_listmembership",
            hot=True,
            foreign_keys=[
                ForeignTable("list_id", "audience_list"),
                ForeignTable("person_id", "audience_person"),
            ],
        ),
    ]
