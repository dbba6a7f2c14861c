"""What somebody decided about rows that could not be matched; and a list of merges."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0010_bulk_actions"),
        ("tenants", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="MatchChoice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("connection_id", models.BigIntegerField()),
                ("remote_id", models.CharField(db_collation="C", max_length=18)),
                ("local_type", models.CharField(max_length=80)),
                ("local_id", models.BigIntegerField(help_text="Empty: a record of its own is made.", null=True)),
                ("actor_label", models.CharField(max_length=254)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=apps.tenants.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="recordlink",
            name="notes",
            field=models.JSONField(
                help_text="{flips: {field key: how often the org changed our value back}, set_again: an un-tick was answered, apart: a person unlinked it}",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="runentry",
            index=models.Index(
                condition=models.Q(("action", "merged")), fields=["tenant", "number"], name="run_entry_merged"
            ),
        ),
        migrations.AddConstraint(
            model_name="matchchoice",
            constraint=models.UniqueConstraint(
                fields=("tenant", "connection_id", "remote_id"), name="match_choice_once"
            ),
        ),
        secure_tenant_table(
            "sync_matchchoice", foreign_keys=[ForeignTable("connection_id", "integrations_connection")]
        ),
    ]
