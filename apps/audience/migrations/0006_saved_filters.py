"""Filters of people and companies under a name."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [
        ("audience", "0005_changes_security"),
        ("tenants", "0002_row_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("record_type", models.CharField(help_text="person or company", max_length=16)),
                ("name", models.CharField(max_length=80)),
                ("tree", models.JSONField()),
                ("actor_label", models.CharField(blank=True, help_text="Who saved it last.", max_length=254)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "name_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.text.Lower("name"),
                        output_field=models.CharField(db_collation="C", max_length=80),
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
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "record_type", "name_key"), name="saved_filter_name_once")
                ],
            },
        ),
        secure_tenant_table("audience_savedfilter"),
    ]
