"""The overview: health in one look."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.db.models import Model, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import Company, Opportunity, Person
from apps.console.charts import bars
from apps.console.context import THEMES
from apps.console.salesforce.setup_steps import next_step, setup_steps
from apps.integrations.models import Connection, ConnectionState
from apps.integrations.selectors import own_calls_today
from apps.sync.models import RunObject, RunState, SyncRun
from apps.sync_settings.services import settings_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.models import User
from apps.tenants.roles import Right

_MOST_COUNTED = 10_000
_DAYS = 14


@require_GET
@member_page(Right.VIEW)
def overview(request: MemberRequest) -> HttpResponse:
    """Connection, records, runs, errors and API use."""
    connection = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).first()
    steps = setup_steps(connection)
    runs = list(SyncRun.objects.order_by("-queued_at")[:5])
    context = {
        "connection": connection,
        "steps": steps,
        "next_step": next_step(steps),
        "runs": runs,
        "running": next((run for run in runs if run.is_open), None),
        "last_run": next((run for run in runs if run.state == RunState.COMPLETED), None),
    }
    if connection is not None:
        context |= {
            "settings": settings_of(connection),
            "people": _count(Person),
            "companies": _count(Company),
            "opportunities": _count(Opportunity),
            "own_calls": own_calls_today(connection),
            "chart": _throughput(),
        }
    return render(request, "console/overview/overview.html", context)


def _count(model: type[Model]) -> str:
    """Counting a million rows at each look is too slow: large tables say so."""
    count = len(model._default_manager.values_list("id")[: _MOST_COUNTED + 1])
    return f"{_MOST_COUNTED:,}+" if count > _MOST_COUNTED else f"{count:,}"


def _throughput() -> list[object]:
    today = timezone.now().date()
    since = today - timedelta(days=_DAYS - 1)
    done = (
        RunObject.objects.filter(finished_at__date__gte=since)
        .annotate(day=TruncDate("finished_at"))
        .values("day")
        .annotate(rows=Sum("fetched"))
    )
    by_day = {row["day"]: row["rows"] for row in done}
    days = [since + timedelta(days=i) for i in range(_DAYS)]
    return list(bars([(f"{day:%d %b}", int(by_day.get(day, 0))) for day in days]))


@require_POST
@login_required
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme with the user."""
    chosen = request.POST.get("theme", "")
    if chosen in THEMES and isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=chosen)
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    return redirect(target)
