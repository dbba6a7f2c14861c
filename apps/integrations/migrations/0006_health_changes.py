"""What is behind a connection's health, when a paused org is asked again, and the history of changes."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_metadata_due_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="health_cause",
            field=models.CharField(blank=True, db_default="", default="", max_length=12),
        ),
        migrations.AddField(
            model_name="connection",
            name="health_seen_at",
            field=models.DateTimeField(help_text="When something last showed that it is still so.", null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="probe_due_at",
            field=models.DateTimeField(help_text="When a paused org is asked whether it answers again.", null=True),
        ),
        migrations.CreateModel(
            name="HealthChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("before", models.CharField(max_length=12)),
                ("health", models.CharField(max_length=12)),
                ("cause", models.CharField(blank=True, max_length=12)),
                ("reason", models.TextField(blank=True)),
                ("resumes_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
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
            options={
                "indexes": [models.Index(fields=["tenant", "connection", "-id"], name="health_change_latest")],
            },
        ),
        secure_tenant_table(
            "integrations_healthchange",
            foreign_keys=[ForeignTable("connection_id", "integrations_connection")],
            append_only=True,
        ),
        migrations.RunSQL(
            "GRANT SELECT (probe_due_at) ON integrations_connection TO syncline_dispatcher", migrations.RunSQL.noop
        ),
    ]
