"""The owner of a person has no foreign key: owners are never deleted, and the check of one owner's row for each of a
million people costs a first sync a tenth of its time, and more where two lanes share the owner's lock."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audience", "0018_erasures_under_way")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE audience_person DROP CONSTRAINT audience_person_owner_id",
            "ALTER TABLE audience_person ADD CONSTRAINT audience_person_owner_id FOREIGN KEY (tenant_id, owner_id) "
            "REFERENCES audience_owner (tenant_id, id) ON DELETE SET NULL (owner_id)",
        ),
    ]
