"""Imports, the pieces of their files, and rows that could not be taken."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.tenants.scope
from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0003_api_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("record_type", models.CharField(help_text="person or company", max_length=16)),
                ("filename", models.CharField(max_length=200)),
                ("size", models.BigIntegerField(default=0, help_text="Bytes, as stored: UTF-8 with line feeds.")),
                ("encoding", models.CharField(blank=True, help_text="As it came.", max_length=16)),
                ("delimiter", models.CharField(default=",", max_length=1)),
                (
                    "data_start",
                    models.BigIntegerField(default=0, help_text="Where the first row after the header begins."),
                ),
                ("header", models.JSONField(default=list)),
                ("mapping", models.JSONField(default=dict, help_text="Field by the number of its column.")),
                ("mode", models.CharField(default="update", max_length=8)),
                ("reactivates", models.BooleanField(default=True)),
                ("list_id", models.BigIntegerField(help_text="Everybody in the file is put on this list.", null=True)),
                ("state", models.CharField(default="uploaded", max_length=12)),
                ("position", models.BigIntegerField(default=0)),
                ("rows", models.BigIntegerField(default=0)),
                ("created", models.BigIntegerField(default=0)),
                ("updated", models.BigIntegerField(default=0)),
                ("unchanged", models.BigIntegerField(default=0)),
                ("skipped", models.BigIntegerField(default=0)),
                ("failed", models.BigIntegerField(default=0)),
                ("skip_reasons", models.JSONField(default=dict)),
                ("failure", models.TextField(blank=True, default="", help_text="Why it stopped, in words.")),
                ("actor_id", models.BigIntegerField(null=True)),
                ("actor_label", models.CharField(max_length=254)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "due_at",
                    models.DateTimeField(help_text="When a worker is to look at it; empty: not by itself.", null=True),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(default=0)),
                ("attempts", models.IntegerField(default=0, help_text="Failures in a row.")),
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
        migrations.CreateModel(
            name="ImportPiece",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("data", models.BinaryField()),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="imports.import",
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
        ),
        migrations.CreateModel(
            name="ImportProblem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row", models.BigIntegerField(help_text="As a spreadsheet counts: the header is row 1.")),
                ("reason", models.TextField()),
                ("cells", models.JSONField(default=list)),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="imports.import",
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
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="import_due"),
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(fields=["tenant", "-id"], name="import_newest"),
        ),
        migrations.AddConstraint(
            model_name="importpiece",
            constraint=models.UniqueConstraint(fields=("tenant", "source", "number"), name="import_piece_once"),
        ),
        migrations.AddIndex(
            model_name="importproblem",
            index=models.Index(fields=["tenant", "source", "id"], name="import_problem_of_import"),
        ),
        secure_tenant_table("imports_import", dispatcher_columns=["tenant_id", "id", "due_at", "lease_until"]),
        secure_tenant_table("imports_importpiece", foreign_keys=[ForeignTable("source_id", "imports_import")]),
        secure_tenant_table("imports_importproblem", foreign_keys=[ForeignTable("source_id", "imports_import")]),
    ]
