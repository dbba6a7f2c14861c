"""Calls are counted by what they were for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0006_health_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="apiusage",
            name="purpose",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The lane of the run that made the calls, or none.",
                max_length=8,
            ),
        ),
        migrations.RemoveConstraint(
            model_name="apiusage",
            name="api_usage_once_per_hour",
        ),
        migrations.AddConstraint(
            model_name="apiusage",
            constraint=models.UniqueConstraint(
                fields=("tenant", "connection", "hour", "purpose"), name="api_usage_once_per_purpose"
            ),
        ),
    ]
