"""What the steps write, for the checks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0012_password_login"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="needed_writes",
            field=models.JSONField(
                db_default={},
                default=dict,
                help_text="sObject → {create, update, fields}: what the steps write there, for the checks.",
            ),
        ),
    ]
