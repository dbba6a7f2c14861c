"""Webhooks: endpoints, deliveries, attempts."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
        ("tenants", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(help_text="Binds what is sealed to this row.")),
                ("name", models.CharField(max_length=120)),
                ("kind", models.CharField(default="webhook", max_length=8)),
                ("url", models.TextField(help_text="Sealed.")),
                (
                    "shown_url",
                    models.CharField(help_text="What pages show: without what may be secret.", max_length=300),
                ),
                ("secret", models.TextField(help_text="Sealed.")),
                (
                    "previous_secret",
                    models.TextField(blank=True, default="", help_text="Sealed; signs, too, until it ends."),
                ),
                ("previous_until", models.DateTimeField(null=True)),
                ("events", models.JSONField(default=list)),
                (
                    "with_bulk",
                    models.BooleanField(
                        default=False,
                        help_text="Each record of full syncs and imports, too; otherwise only that they finished.",
                    ),
                ),
                ("is_enabled", models.BooleanField(default=True)),
                (
                    "disabled_reason",
                    models.TextField(blank=True, default="", help_text="Why Syncline switched it off, in words."),
                ),
                ("failures", models.IntegerField(default=0, help_text="Failed attempts in a row.")),
                ("failing_since", models.DateTimeField(null=True)),
                ("rests_until", models.DateTimeField(help_text="Left alone until then, after failures.", null=True)),
                ("last_success_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "url",
                    models.TextField(
                        blank=True, db_default="", default="", help_text="Sealed; of a delivery without endpoint."
                    ),
                ),
                (
                    "event_id",
                    models.UUIDField(help_text="The same however often it is tried: receivers know a repeat by it."),
                ),
                ("event", models.CharField(max_length=24)),
                (
                    "key",
                    models.CharField(help_text="What happened; the same again is not delivered again.", max_length=200),
                ),
                ("payload", models.JSONField(default=dict)),
                ("record_type", models.CharField(blank=True, db_default="", default="", max_length=16)),
                ("record_id", models.BigIntegerField(null=True)),
                ("state", models.CharField(db_default="waiting", default="waiting", max_length=10)),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), help_text="Empty: done with.", null=True
                    ),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(db_default=0, default=0)),
                ("delivered_at", models.DateTimeField(null=True)),
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
                (
                    "endpoint",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="notifications.webhookendpoint",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("status", models.IntegerField(help_text="HTTP status; empty: no answer.", null=True)),
                ("milliseconds", models.IntegerField(default=0)),
                ("response", models.TextField(blank=True, help_text="The beginning of the answer.")),
                ("problem", models.TextField(blank=True, help_text="What went wrong, in words.")),
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
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tries",
                        to="notifications.delivery",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["tenant", "delivery", "id"], name="attempt_of_delivery")],
            },
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="delivery_due"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["tenant", "due_at", "id"],
                name="delivery_due_of_tenant",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["tenant", "endpoint", "id"], name="delivery_of_endpoint"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("record_id__isnull", False)),
                fields=["tenant", "record_type", "record_id"],
                name="delivery_about_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("tenant", "endpoint", "key"), name="delivery_once_per_endpoint", nulls_distinct=False
            ),
        ),
        secure_tenant_table("notifications_webhookendpoint"),
        secure_tenant_table(
            "notifications_delivery",
            foreign_keys=[ForeignTable("endpoint_id", "notifications_webhookendpoint")],
            dispatcher_columns=["tenant_id", "due_at", "lease_until"],
        ),
        secure_tenant_table(
            "notifications_attempt", foreign_keys=[ForeignTable("delivery_id", "notifications_delivery")]
        ),
    ]
