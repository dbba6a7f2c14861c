"""What pages show of a connection: its checks, its latest job, its use of the API."""

from datetime import datetime, timedelta

from django.db.models import Min, Sum
from django.utils import timezone

from apps.integrations.models import ApiUsage, Connection, ConnectionCheck, ConnectionJob, HealthChange, JobKind


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


def calls_by_purpose(connection: Connection, *, since: datetime) -> dict[str, int]:
    """Calls that Syncline made since then, by the lane that made them; "" for what no run asked for."""
    rows = ApiUsage.objects.filter(connection=connection, hour__gte=since).values_list("purpose")
    return dict(rows.annotate(n=Sum("calls")).order_by("purpose"))


def first_call_at(connection: Connection) -> datetime | None:
    """The hour of the first call that is known."""
    found: datetime | None = ApiUsage.objects.filter(connection=connection).aggregate(at=Min("hour"))["at"]
    return found


def health_changes(connection: Connection, *, most: int = 20) -> list[HealthChange]:
    """The latest changes of health, newest first."""
    return list(HealthChange.objects.filter(connection=connection).order_by("-id")[:most])
