"""What happened, for each member: the list behind the bell (B05)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apps.console.listing import listing
from apps.domain.remedies import words_for
from apps.notifications.inbox import NEWEST, mark_read, notices_for
from apps.notifications.models import Notice, NoticeKind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_ICONS: dict[str, tuple[str, str]] = {
    NoticeKind.FULL_SYNC_FINISHED: ("circle-check", "ok"),
    NoticeKind.SYNC_ERRORS: ("triangle-alert", "bad"),
    NoticeKind.NEEDS_YOU: ("plug", "bad"),
}


@member_page(Right.VIEW)
def notices(request: MemberRequest) -> HttpResponse:
    """The newest first; what the member has not read stands out."""
    found = listing(request, notices_for(request.user), NEWEST)
    rows = [(row, *_ICONS.get(row.kind, ("bell", "busy")), _facts(row)) for row in found.rows]
    return render(request, "console/notices/list.html", {"found": found, "rows": rows})


@require_POST
@member_page(Right.VIEW)
def open_notice(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Mark one as read, and go where it points to."""
    notice = load(Notice, notice_id)
    mark_read(user=request.user, ids=[notice.pk])
    is_ours = notice.path.startswith("/") and url_has_allowed_host_and_scheme(notice.path, allowed_hosts=None)
    return redirect(notice.path if is_ours else "console:notices")


@require_POST
@member_page(Right.VIEW)
def read(request: MemberRequest) -> HttpResponse:
    """Mark all as read."""
    count = mark_read(user=request.user)
    messages.success(request, "Everything was read already." if not count else f"{count:,} marked as read.")
    return redirect("console:notices")


def _facts(notice: Notice) -> list[tuple[str, str]]:
    """The lines of a notice: of a digest, how many errors of each kind."""
    if isinstance(notice.facts, dict):
        counted = sorted(notice.facts.items(), key=lambda fact: (-int(fact[1]), fact[0]))
        return [(words_for(name).title, f"{int(count):,}") for name, count in counted]
    return [(str(name), str(value)) for name, value in notice.facts]
