"""The dispatcher sees a job's kind, which names the task that does it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("integrations", "0003_needed_fields")]
    operations = [
        migrations.RunSQL(
            "GRANT SELECT (kind) ON integrations_connectionjob TO syncline_dispatcher", migrations.RunSQL.noop
        )
    ]
