"""What pages show of a connection: its checks, its latest job, its use of the API."""

from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from apps.integrations.models import ApiUsage, Connection, ConnectionCheck, ConnectionJob, JobKind


def connection_checks(connection: Connection) -> list[ConnectionCheck]:
    """The latest answers of the pre-flight, in their order."""
    return list(ConnectionCheck.objects.filter(connection=connection).order_by("position", "id"))


def latest_job(connection: Connection, kind: JobKind) -> ConnectionJob | None:
    """The last job of a kind, open or ended."""
    found: ConnectionJob | None = ConnectionJob.objects.filter(connection=connection, kind=kind).order_by("-id").first()
    return found


def own_calls_today(connection: Connection) -> int:
    """Calls that Syncline made in the last 24 hours."""
    since = timezone.now() - timedelta(hours=24)
    total = ApiUsage.objects.filter(connection=connection, hour__gte=since).aggregate(n=Sum("calls"))["n"]
    return int(total or 0)
