"""What is done with many records at once."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.sync.models.bulk
import apps.tenants.scope
from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0009_custom_records"),
        ("tenants", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkAction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=12)),
                ("record_type", models.CharField(max_length=16)),
                ("criteria", models.JSONField()),
                ("list_id", models.BigIntegerField(help_text="The list to add to.", null=True)),
                (
                    "state",
                    models.CharField(
                        db_default=apps.sync.models.bulk.BulkState["WAITING"],
                        default=apps.sync.models.bulk.BulkState["WAITING"],
                        max_length=10,
                    ),
                ),
                ("requested_by_id", models.BigIntegerField(null=True)),
                ("requested_by_label", models.CharField(blank=True, max_length=254)),
                (
                    "cursor_id",
                    models.BigIntegerField(db_default=0, default=0, help_text="The last record that was looked at."),
                ),
                ("until_id", models.BigIntegerField(help_text="The last record there was when it began.")),
                ("looked_at", models.BigIntegerField(db_default=0, default=0)),
                ("done", models.BigIntegerField(db_default=0, default=0)),
                (
                    "unchanged",
                    models.BigIntegerField(db_default=0, default=0, help_text="It was so already, or may not be."),
                ),
                ("queued_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField(help_text="When a worker is to look; empty: it is over.", null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(db_default=0, default=0)),
                ("finished_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="bulk_action_due"
                    )
                ],
            },
        ),
        secure_tenant_table(
            "sync_bulkaction", dispatcher_columns=["tenant_id", "id", "state", "kind", "due_at", "lease_until"]
        ),
    ]
