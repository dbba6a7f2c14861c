"""The second way to connect: user name, password and security token."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0011_package_security"),
        ("tenants", "0003_api_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="auth_kind",
            field=models.CharField(db_default="oauth", default="oauth", max_length=8),
        ),
        migrations.AddField(
            model_name="connection",
            name="credentials",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="User name, password and security token of the second way to connect: sealed, bound to this row.",
            ),
        ),
        migrations.CreateModel(
            name="PasswordAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("login_url", models.CharField(max_length=255)),
                (
                    "credentials",
                    models.TextField(blank=True, help_text="Sealed; bound to this row; gone once they were used."),
                ),
                ("expected_org_id", models.CharField(blank=True, max_length=18)),
                (
                    "state",
                    models.CharField(default="waiting", help_text="waiting, taken, done or refused", max_length=8),
                ),
                ("code", models.CharField(blank=True, help_text="The page that explains a refusal.", max_length=32)),
                ("words", models.TextField(blank=True, help_text="Why it was refused, and what helps.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("due_at", models.DateTimeField(help_text="When a worker is to take it; empty: taken.", null=True)),
                ("taken_at", models.DateTimeField(null=True)),
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="password_attempt_due"
                    )
                ],
            },
        ),
        secure_tenant_table("integrations_passwordattempt", dispatcher_columns=["tenant_id", "id", "state", "due_at"]),
    ]
