"""Which record types a step takes, its filter says: by the field RecordTypeId."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("field_mappings", "0004_step_kinds"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="syncstep",
            name="record_type_id",
        ),
    ]
