"""Installing the package into an org: what was wanted, and what came of it."""

from django.db import models

from apps.integrations.models.connections import Connection
from apps.tenants.models import TenantModel


class PackageInstall(TenantModel):
    """The deployment behind one connection job of kind *package*."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    job_id = models.BigIntegerField()
    with_panel = models.BooleanField(default=True, help_text="With Apex and Visualforce, or the fields alone.")
    wants_cancel = models.BooleanField(default=False, help_text="Somebody has asked to stop it.")
    is_cancelling = models.BooleanField(default=False, help_text="Salesforce has been told.")
    deploy_id = models.CharField(max_length=18, blank=True)
    status = models.CharField(max_length=20, blank=True, help_text="As Salesforce names it.")
    failures = models.JSONField(default=list, help_text="Components that were refused: name, kind, problem.")
    by_hand = models.JSONField(default=list, help_text="What is left to be done by hand, in words.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "job_id"], name="package_install_of_job")]

    def __str__(self) -> str:
        return f"package {self.status or 'waiting'}"
