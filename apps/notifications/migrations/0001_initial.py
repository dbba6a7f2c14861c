"""Notices and who gets them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import secure_tenant_table


def _tenant() -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        default=apps.tenants.scope.current_tenant_id,
        editable=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to="tenants.tenant",
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=12)),
                ("subject", models.CharField(max_length=200)),
                (
                    "facts",
                    models.JSONField(
                        default=list,
                        help_text="Name and value of each line; of a digest, how many errors of each kind.",
                    ),
                ),
                (
                    "path",
                    models.CharField(blank=True, help_text="The page that the mail points to.", max_length=200),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField(help_text="Empty: done with.", null=True)),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("sent_to", models.JSONField(default=list)),
                ("problem", models.TextField(blank=True, help_text="Why it was not sent, in words.")),
                ("tenant", _tenant()),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="notice_due"),
                    models.Index(fields=["tenant", "kind", "-sent_at"], name="notice_last_sent"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("due_at__isnull", False), ("kind", "sync_errors")),
                        fields=("tenant", "kind"),
                        name="notice_one_digest_waits",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipients",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("addresses", models.JSONField(default=list)),
                ("tenant", _tenant()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="recipients_once")],
            },
        ),
        secure_tenant_table("notifications_notice", dispatcher_columns=["tenant_id", "due_at"]),
        secure_tenant_table("notifications_recipients"),
    ]
