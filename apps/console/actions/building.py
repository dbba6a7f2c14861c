"""Building a rule: trigger → conditions → actions."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.console.actions.forms import EXAMPLES, RuleForm, example
from apps.domain.automation import Trigger
from apps.integrations.services.oauth import live_connection
from apps.sync_actions.choices import Choices
from apps.sync_actions.models import Rule
from apps.sync_actions.services import RuleDraft, RuleMoved, TooManyRules, create_rule, update_rule
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right


@require_http_methods(["GET", "POST"])
@member_page(Right.EDIT_MAPPINGS)
def new(request: MemberRequest) -> HttpResponse:
    """Make a rule, from nothing or from an example."""
    choices = Choices(live_connection())
    if request.method == "POST":
        return _posted(request, RuleForm.posted(choices, None, request.POST))
    blank = RuleDraft(name="", trigger=Trigger.SYNCED.value)
    draft = example(request.GET.get("example", ""), choices) or blank
    return _page(request, RuleForm(choices, None, draft))


@require_http_methods(["GET", "POST"])
@member_page(Right.EDIT_MAPPINGS)
def edit(request: MemberRequest, rule_id: int) -> HttpResponse:
    """Change a rule."""
    rule = load(Rule, rule_id)
    choices = Choices(live_connection())
    if request.method == "POST":
        return _posted(request, RuleForm.posted(choices, rule, request.POST))
    return _page(request, RuleForm.of(choices, rule))


def _posted(request: MemberRequest, form: RuleForm) -> HttpResponse:
    if form.is_asking:
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        if form.rule is None:
            made = create_rule(draft=form.draft, user=request.user)
            messages.success(request, f"“{made.name}” is saved. Try it on somebody, then switch it on.")
            return redirect("console:actions-try", made.pk)
        update_rule(rule=form.rule, draft=form.draft, seen_version=form.version, user=request.user)
    except TooManyRules as refusal:
        form.errors["name"] = str(refusal)
        return _page(request, form, status=422)
    except RuleMoved:
        form.errors["moved"] = "Somebody else has changed this rule meanwhile. Open it anew, then make your change."
        return _page(request, form, status=409)
    messages.success(request, f"“{form.name}” is saved.")
    return redirect("console:actions-list")


def _page(request: MemberRequest, form: RuleForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "rule": form.rule, "examples": EXAMPLES}
    return render(request, "console/actions/edit.html", context, status=status)
