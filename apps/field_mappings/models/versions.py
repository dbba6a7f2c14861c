"""What a run reads: immutable versions of the active profile, and the layouts of packed baselines."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.integrations.models import Connection
from apps.tenants.models import TenantModel


class MappingVersion(TenantModel):
    """The active profile as it was saved: a pull uses one version from its start to its end, a push one a
    round."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    number = models.IntegerField()
    document = models.JSONField(help_text="Steps and field rules, ready for the decider.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection", "number"], name="mapping_version_once")]

    def __str__(self) -> str:
        return f"version {self.number}"


class BaselineLayout(TenantModel):
    """The order of field keys in a packed baseline; equal sets of fields share one layout."""

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64)
    keys = ArrayField(models.TextField(), help_text="'RemoteField>local_field' in packed order.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="baseline_layout_once")]

    def __str__(self) -> str:
        return f"{len(self.keys)} fields"
