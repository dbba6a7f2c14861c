"""The outbound queue: what waits for Salesforce, what is on its way, what is held and why (E12)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.console.listing import listing, number_words
from apps.console.queue.commands import command_views
from apps.console.queue.forms import STATE_WORDS, QueueFilterForm
from apps.console.queue.shown import change_views, records_named, stop_of
from apps.core.search import search_text
from apps.integrations.services.oauth import live_connection
from apps.outbox.selectors import OLDEST, QueueFilter, counts_by_state, outbound_changes
from apps.outbox.services import Cancelled, cancel_changes, release_changes
from apps.sync_actions.models import CrmAction
from apps.sync_actions.services import cancel_commands, release_commands
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

_MOST_SELECTED = 500
_LARGEST_ID = 2**63 - 1


@require_GET
@member_page(Right.VIEW)
def queue_list(request: MemberRequest) -> HttpResponse:
    """The queue, the oldest change first, with counts by state."""
    form = QueueFilterForm(request.GET)
    typed = form.value("q")
    is_searched = bool(search_text(typed))
    wanted = QueueFilter(form.value("state"), records_named(typed) if is_searched else None)
    found = listing(request, outbound_changes(wanted), OLDEST)
    counts = counts_by_state()
    not_held = sum(one.count for one in counts if one.state != "held")
    waiting = number_words(not_held, any(one.has_more for one in counts))
    context = {
        "form": form,
        "found": found,
        "rows": change_views(found.rows),
        "counts": [(one.state, STATE_WORDS[one.state], number_words(one.count, one.has_more)) for one in counts],
        "stop": stop_of(live_connection(), waiting, not_held == 1) if not_held else None,
        "is_filtered": bool(wanted.state or is_searched),
        "may_change": request.membership.may(Right.RUN_SYNC),
        "commands": command_views(),
    }
    return render(request, "console/queue/list.html", context)


@require_POST
@member_page(Right.RUN_SYNC)
def cancel(request: MemberRequest) -> HttpResponse:
    """Take changes out of the queue; the records keep what they hold."""
    ids = _chosen(request)
    if not ids:
        messages.info(request, "Tick the changes to cancel first.")
        return redirect("console:queue-list")
    messages.success(request, _words(cancel_changes(ids=ids, user=request.user)))
    return redirect("console:queue-list")


@require_POST
@member_page(Right.RUN_SYNC)
def release(request: MemberRequest) -> HttpResponse:
    """Have held changes tried again."""
    ids = _chosen(request)
    if not ids:
        messages.info(request, "Tick the held changes to try again first.")
        return redirect("console:queue-list")
    released = release_changes(ids=ids, user=request.user)
    words = {0: "None of them was held.", 1: "1 change is tried again."}
    messages.success(request, words.get(released, f"{released:,} changes are tried again."))
    return redirect("console:queue-list")


@require_POST
@member_page(Right.RUN_SYNC)
def commands(request: MemberRequest) -> HttpResponse:
    """Cancel rule actions that wait, or try held ones again."""
    rows = CrmAction.objects.filter(id__in=_chosen(request, "command"))
    if request.POST.get("do") == "release":
        count, words = release_commands(commands=rows, user=request.user), "tried again"
    else:
        count, words = cancel_commands(commands=rows, user=request.user), "cancelled"
    named = "1 rule action is" if count == 1 else f"{count:,} rule actions are"
    messages.success(request, f"{named} {words}." if count else "Tick the rule actions first.")
    return redirect("console:queue-list")


def _chosen(request: MemberRequest, name: str = "change") -> list[int]:
    """The changes that were ticked, or the one whose button was pressed."""
    one = request.POST.get("one")
    texts = [one] if one else request.POST.getlist(name)[:_MOST_SELECTED]
    numbers = [int(text[:20]) for text in texts if text.isascii() and text.isdecimal()]
    return [number for number in numbers if number <= _LARGEST_ID]


def _words(done: Cancelled) -> str:
    words = {0: "Nothing was cancelled.", 1: "1 change is cancelled."}
    said = [words.get(done.cancelled, f"{done.cancelled:,} changes are cancelled.")]
    if done.kept_consent:
        said.append("What was said about being mailed is still told to Salesforce.")
    if done.in_flight:
        said.append("What is on its way already cannot be stopped.")
    return " ".join(said)
