"""How far an erasure is."""

from django.db import migrations, models

import apps.audience.models.erasures


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0017_task_switch_by"),
    ]

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="finished_at",
            field=models.DateTimeField(help_text="When the last trace was gone; empty for old ones.", null=True),
        ),
        migrations.AddField(
            model_name="erasure",
            name="state",
            field=models.CharField(
                db_default=apps.audience.models.erasures.ErasureState["ERASED"],
                default=apps.audience.models.erasures.ErasureState["ERASED"],
                max_length=8,
            ),
        ),
    ]
