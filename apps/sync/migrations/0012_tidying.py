"""Old rows of the log go at night."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0011_match_choices"),
        ("tenants", "0003_api_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="tidy_due_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                help_text="When old rows of the log go.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="is_tidied",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Its entries are gone: they were old."
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(fields=["tidy_due_at"], name="schedule_tidy_due"),
        ),
        migrations.RunSQL("GRANT SELECT (tidy_due_at) ON sync_schedule TO syncline_dispatcher", migrations.RunSQL.noop),
    ]
