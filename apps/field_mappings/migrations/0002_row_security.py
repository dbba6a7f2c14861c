"""Row-level security, tenant-first primary keys and composite foreign keys."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("field_mappings", "0001_initial"),
        ("integrations", "0002_row_security"),
    ]
    operations = [
        secure_tenant_table(
            "field_mappings_profile",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
        secure_tenant_table(
            "field_mappings_syncstep",
            foreign_keys=[ForeignTable("profile_id", "field_mappings_profile")],
        ),
        secure_tenant_table(
            "field_mappings_fieldmapping",
            foreign_keys=[ForeignTable("step_id", "field_mappings_syncstep")],
        ),
        secure_tenant_table(
            "field_mappings_mappingversion",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
        ),
        secure_tenant_table("field_mappings_baselinelayout"),
    ]
