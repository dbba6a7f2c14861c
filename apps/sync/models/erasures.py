"""What is left to do of an erasure: logs and stored files that a worker walks through."""

from django.db import models
from django.db.models.functions import Now

from apps.audience.models import Erasure
from apps.tenants.models import TenantModel


class ErasureJob(TenantModel):
    """The walk of one erasure. It is there as long as somebody is being erased, and goes when nothing is left of them.

    ``spans`` is written when the walk begins: [place, key before the first row, last key], one for each table and file.
    """

    id = models.BigAutoField(primary_key=True)
    erasure = models.ForeignKey(
        Erasure, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    names = models.TextField(help_text="What names the person, sealed.")
    spans = models.JSONField(null=True)
    at_span = models.IntegerField(default=0, db_default=0)
    cursor = models.JSONField(null=True, help_text="The key of the last row that was looked at, in this span.")
    problem = models.CharField(max_length=200, default="", db_default="", help_text="Why it does not go on.")
    due_at = models.DateTimeField(db_default=Now(), help_text="When a worker is to look.")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "erasure"], name="erasure_job_once")]
        indexes = [models.Index(fields=["due_at"], name="erasure_job_due")]

    def __str__(self) -> str:
        return f"walk of erasure {self.erasure_id}"

    @property
    def percent(self) -> int:
        """How much of all that is to be looked at has been, from 0 to 100."""
        if not self.spans:
            return 0
        sizes = [_rows(span[0], span[1], span[2]) for span in self.spans]
        done = sum(sizes[: self.at_span])
        if self.at_span < len(sizes) and self.cursor:
            place, before, _ = self.spans[self.at_span]
            done += min(_rows(place, before, self.cursor), sizes[self.at_span])
        return int(100 * done / max(sum(sizes), 1))


_BYTES_OF_A_ROW = 100


def _rows(place: str, before: list[int], last: list[int]) -> float:
    """About how many rows lie between two keys: keys of a table grow by one, those of a file are bytes."""
    wide = max(last[-1] - before[-1], 0)
    return wide / _BYTES_OF_A_ROW if place.startswith("file ") else wide
