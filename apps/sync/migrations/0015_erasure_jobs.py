"""What is left to do of an erasure."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0018_erasures_under_way"),
        ("sync", "0014_conversions_security"),
        ("tenants", "0003_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasureJob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("names", models.TextField(help_text="What names the person, sealed.")),
                ("spans", models.JSONField(null=True)),
                ("at_span", models.IntegerField(db_default=0, default=0)),
                (
                    "cursor",
                    models.JSONField(help_text="The key of the last row that was looked at, in this span.", null=True),
                ),
                (
                    "problem",
                    models.CharField(db_default="", default="", help_text="Why it does not go on.", max_length=200),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), help_text="When a worker is to look."
                    ),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(db_default=0, default=0)),
                (
                    "erasure",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.erasure",
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
                "indexes": [models.Index(fields=["due_at"], name="erasure_job_due")],
                "constraints": [models.UniqueConstraint(fields=("tenant", "erasure"), name="erasure_job_once")],
            },
        ),
        secure_tenant_table(
            "sync_erasurejob",
            foreign_keys=[ForeignTable("erasure_id", "audience_erasure")],
            dispatcher_columns=["tenant_id", "id", "due_at", "lease_until"],
        ),
    ]
