"""Rules: the list with order and switches, what was held back, and what each rule did (F01 to F04)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.console.actions.forms import EXAMPLES
from apps.console.actions.shown import rule_views, run_views, trigger_words
from apps.console.listing import listing
from apps.core.paging import Order
from apps.field_mappings.models import ProfileKind, SyncStep
from apps.integrations.services.oauth import live_connection
from apps.sync_actions.choices import Choices
from apps.sync_actions.models import Rule, RuleOutcome, RuleRun
from apps.sync_actions.services import delete_rule, forget_held, move_rule, release_held, switch_rule
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.audit import audit
from apps.tenants.roles import Right

_NEWEST = Order("newest", ("id",), (int,), descending=True)
_OUTCOMES = (
    ("", "Everything"),
    (RuleOutcome.DONE, "Done"),
    (RuleOutcome.FAILED, "Failed"),
    (RuleOutcome.CUT, "Not run"),
)


@require_GET
@member_page(Right.VIEW)
def actions_list(request: MemberRequest) -> HttpResponse:
    """Every rule in its order."""
    connection = live_connection()
    rules = list(Rule.objects.order_by("position", "id"))
    context = {
        "rows": rule_views(rules, Choices(connection)),
        "examples": EXAMPLES,
        "connection": connection,
        "steps": _steps(),
        "may_edit": request.membership.may(Right.EDIT_MAPPINGS),
    }
    return render(request, "console/actions/list.html", context)


def _steps() -> list[SyncStep]:
    """The steps of the profile in use that bring people in; those of the default profile are locked."""
    rows = SyncStep.objects.filter(
        profile__is_active=True,
        profile__kind=ProfileKind.CUSTOM,
        local_type="person",
        direction__in=["pull", "two_way"],
        is_enabled=True,
    )
    return list(rows.order_by("position"))


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def spare_steps(request: MemberRequest) -> HttpResponse:
    """Choose the steps whose updates start no rule."""
    chosen = set(request.POST.getlist("step"))
    changed = [step for step in _steps() if step.excludes_updates != (str(step.pk) in chosen)]
    for step in changed:
        SyncStep.objects.filter(id=step.pk).update(excludes_updates=not step.excludes_updates)
        audit(
            actor=request.user,
            action="step_updates_spared",
            subject=str(step),
            before={"excludes_updates": step.excludes_updates},
            after={"excludes_updates": not step.excludes_updates},
        )
    messages.success(request, "The steps are saved." if changed else "Nothing was changed.")
    return redirect("console:actions-list")


@require_GET
@member_page(Right.VIEW)
def effect_log(request: MemberRequest, rule_id: int) -> HttpResponse:
    """What one rule did, the newest first."""
    rule = load(Rule, rule_id)
    runs = RuleRun.objects.filter(rule_id=rule.pk)
    wanted = request.GET.get("outcome", "")
    if wanted in set(RuleOutcome):
        runs = runs.filter(outcome=wanted)
    found = listing(request, runs, _NEWEST)
    context = {
        "rule": rule,
        "trigger": trigger_words(rule),
        "found": found,
        "rows": run_views(found.rows),
        "outcomes": _OUTCOMES,
        "wanted": wanted,
    }
    return render(request, "console/actions/log.html", context)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def switch(request: MemberRequest, rule_id: int) -> HttpResponse:
    """Switch a rule on or off."""
    rule = load(Rule, rule_id)
    is_on = request.POST.get("on") == "1"
    switch_rule(rule=rule, is_enabled=is_on, user=request.user)
    messages.success(request, f"“{rule.name}” is {'on' if is_on else 'off'}.")
    return redirect("console:actions-list")


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def move(request: MemberRequest, rule_id: int) -> HttpResponse:
    """Have a rule run earlier or later."""
    rule = load(Rule, rule_id)
    move_rule(rule=rule, earlier=request.POST.get("to") == "earlier", user=request.user)
    return redirect("console:actions-list")


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def delete(request: MemberRequest, rule_id: int) -> HttpResponse:
    """Delete a rule."""
    rule = load(Rule, rule_id)
    delete_rule(rule=rule, user=request.user)
    messages.success(request, f"“{rule.name}” is deleted. What it did stays done.")
    return redirect("console:actions-list")


@require_POST
@member_page(Right.RUN_SYNC)
def held(request: MemberRequest, rule_id: int) -> HttpResponse:
    """Run a rule for what was held back from the first full sync, or let it be."""
    rule = load(Rule, rule_id)
    if request.POST.get("do") == "forget":
        count = forget_held(rule=rule, user=request.user)
        messages.success(request, f"“{rule.name}” leaves {count:,} records alone.")
        return redirect("console:actions-list")
    if not rule.is_enabled:
        messages.error(request, f"“{rule.name}” is off. Switch it on first.")
        return redirect("console:actions-list")
    count = release_held(rule=rule, user=request.user)
    words = "1 record" if count == 1 else f"{count:,} records"
    messages.success(request, f"“{rule.name}” runs for {words}." if count else "Nothing is held back.")
    return redirect("console:actions-list")
