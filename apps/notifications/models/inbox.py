"""Which notices a member has read."""

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class NoticeRead(TenantModel):
    """A member has read a notice in the app."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.BigIntegerField()
    notice_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user_id", "notice_id"], name="notice_read_once")]

    def __str__(self) -> str:
        return f"notice {self.notice_id} read by {self.user_id}"
