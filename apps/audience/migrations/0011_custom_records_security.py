"""Row-level security of custom record types and their records; changes of a record go with it."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("audience", "0010_custom_records")]
    operations = [
        secure_tenant_table("audience_customrecordtype"),
        secure_tenant_table(
            "audience_customrecord",
            hot=True,
            foreign_keys=[
                ForeignTable("record_type_id", "audience_customrecordtype"),
                ForeignTable("person_id", "audience_person", "SET NULL"),
                ForeignTable("company_id", "audience_company", "SET NULL"),
                ForeignTable("owner_id", "audience_owner", "SET NULL"),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE audience_recordchange ADD CONSTRAINT audience_recordchange_custom_record_id "
            "FOREIGN KEY (tenant_id, custom_record_id) REFERENCES audience_customrecord (tenant_id, id) "
            "ON DELETE CASCADE",
            migrations.RunSQL.noop,
        ),
    ]
