"""Row-level security of engagements, sequences, points and switches."""

from django.db import migrations

from apps.tenants.schema import ForeignTable, secure_tenant_table


class Migration(migrations.Migration):
    dependencies = [("audience", "0008_engagements")]
    operations = [
        secure_tenant_table(
            "audience_engagement", hot=True, foreign_keys=[ForeignTable("person_id", "audience_person")]
        ),
        secure_tenant_table("audience_scorerule"),
        secure_tenant_table("audience_taskswitch"),
        secure_tenant_table("audience_sequence"),
        secure_tenant_table(
            "audience_sequenceenrolment",
            hot=True,
            foreign_keys=[
                ForeignTable("sequence_id", "audience_sequence"),
                ForeignTable("person_id", "audience_person"),
            ],
        ),
    ]
