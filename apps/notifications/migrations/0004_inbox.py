"""Which notices a member has read."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0003_named_recipients"),
        ("tenants", "0003_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="NoticeRead",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("user_id", models.BigIntegerField()),
                ("notice_id", models.BigIntegerField()),
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "user_id", "notice_id"), name="notice_read_once")
                ],
            },
        ),
        secure_tenant_table(
            "notifications_noticeread", foreign_keys=[ForeignTable("notice_id", "notifications_notice")]
        ),
    ]
