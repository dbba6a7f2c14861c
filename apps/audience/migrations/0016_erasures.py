"""Erasures, their key, and tombstones."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0015_owner_picks_security"),
        ("tenants", "0003_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("person_id", models.BigIntegerField(help_text="The number that the person had here.")),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_label", models.CharField(max_length=254)),
                ("counts", models.JSONField(default=dict, help_text="Rows that were deleted, by table.")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lifted_at", models.DateTimeField(help_text="They may come back since then.", null=True)),
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
            name="ErasureKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.TextField(help_text="Sealed.")),
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
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="erasure_key_once")],
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("mark", models.CharField(db_collation="C", max_length=64)),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "mark"), name="tombstone_once")],
            },
        ),
        secure_tenant_table("audience_erasurekey"),
        secure_tenant_table("audience_erasure"),
        secure_tenant_table("audience_tombstone", foreign_keys=[ForeignTable("erasure_id", "audience_erasure")]),
        # Changes and consents only grow, and nobody edits one; those of a person who was erased go with them.
        migrations.RunSQL(
            "GRANT DELETE ON audience_recordchange, audience_consentchange TO syncline_app", migrations.RunSQL.noop
        ),
    ]
