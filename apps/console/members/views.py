"""Members, invitations, one's own accounts, and the audit log."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.console.listing import address
from apps.console.record_lists import number_in
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.directory import tenants_of
from apps.tenants.forms import AuditFilterForm, InviteForm, ProfileForm, RoleForm, TenantForm
from apps.tenants.middleware import SESSION_KEY
from apps.tenants.models import AuditEntry, DirectoryKind, Invitation, Membership, User
from apps.tenants.roles import RIGHTS, Right, Role
from apps.tenants.services import members as services
from apps.tenants.services.tenants import create_tenant

_AUDIT_ROWS = 100
RIGHT_WORDS = {
    Right.VIEW: "View everything",
    Right.EDIT_RECORDS: "Edit records",
    Right.RUN_SYNC: "Run syncs",
    Right.CLEAR_ERRORS: "Clear errors",
    Right.EDIT_MAPPINGS: "Edit mappings",
    Right.EDIT_SETTINGS: "Edit settings",
    Right.CONNECT: "Connect Salesforce",
    Right.MANAGE_MEMBERS: "Manage members",
    Right.MANAGE_API_KEYS: "Manage API keys",
    Right.VIEW_AUDIT: "Read the audit log",
    Right.MANAGE_TENANT: "Manage the account",
}


@require_GET
@member_page(Right.VIEW)
def members(request: MemberRequest) -> HttpResponse:
    """Who belongs to the account, and what each role may do."""
    return _page(request, InviteForm(), ProfileForm(instance=request.user))


def _page(request: MemberRequest, invite: InviteForm, profile: ProfileForm, status: int = 200) -> HttpResponse:
    context = {
        "members": Membership.objects.select_related("user").order_by("id"),
        "invitations": Invitation.objects.filter(accepted_at__isnull=True, withdrawn_at__isnull=True).order_by("-id"),
        "invite_form": invite,
        "profile_form": profile,
        "tenant_form": TenantForm(),
        "roles": list(Role),
        "rights": [
            {"label": label, "given": [right in RIGHTS[role] for role in Role]} for right, label in RIGHT_WORDS.items()
        ],
        "may_manage": request.membership.may(Right.MANAGE_MEMBERS),
        "may_audit": request.membership.may(Right.VIEW_AUDIT),
    }
    return render(request, "console/members/members.html", context, status=status)


@require_POST
@member_page(Right.MANAGE_MEMBERS)
def invite(request: MemberRequest) -> HttpResponse:
    """Invite somebody."""
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            link = services.invite_member(
                tenant=request.tenant,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                inviter=request.user,
            )
        except services.MemberRuleBroken as broken:
            form.add_error("email", str(broken))
        else:
            messages.success(request, f"Invited {form.cleaned_data['email']}. The link, if no mail arrives: {link}")
            return redirect("console:members")
    return _page(request, form, ProfileForm(instance=request.user), status=422)


@require_POST
@member_page(Right.MANAGE_MEMBERS)
def withdraw(request: MemberRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    services.withdraw_invitation(invitation=load(Invitation, invitation_id), actor=request.user)
    messages.success(request, "The invitation was withdrawn.")
    return redirect("console:members")


@require_POST
@member_page(Right.MANAGE_MEMBERS)
def role(request: MemberRequest, membership_id: int) -> HttpResponse:
    """Give a member another role."""
    membership = load(Membership, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "There is no such role.")
        return redirect("console:members")
    try:
        services.change_role(membership=membership, role=Role(form.cleaned_data["role"]), actor=request.membership)
    except services.MemberRuleBroken as broken:
        messages.error(request, str(broken))
    return redirect("console:members")


@require_POST
@member_page(Right.MANAGE_MEMBERS)
def remove(request: MemberRequest, membership_id: int) -> HttpResponse:
    """Remove a member."""
    try:
        services.remove_member(membership=load(Membership, membership_id), actor=request.membership)
    except services.MemberRuleBroken as broken:
        messages.error(request, str(broken))
    return redirect("console:members")


@require_POST
@member_page(Right.VIEW)
def profile(request: MemberRequest) -> HttpResponse:
    """Save one's own name."""
    form = ProfileForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _page(request, InviteForm(), form, status=422)
    form.save()
    messages.success(request, "Saved.")
    return redirect("console:members")


@require_POST
@member_page(Right.VIEW)
def new_tenant(request: MemberRequest) -> HttpResponse:
    """Make another account and switch to it."""
    form = TenantForm(request.POST)
    if not form.is_valid():
        messages.error(request, "An account needs a name.")
        return redirect("console:members")
    request.session[SESSION_KEY] = create_tenant(name=form.cleaned_data["name"], owner=request.user).pk
    return redirect("console:overview")


@require_POST
@login_required
def switch_tenant(request: HttpRequest) -> HttpResponse:
    """Choose another of one's own accounts; any other id changes nothing."""
    wanted = request.POST.get("to", "")
    assert isinstance(request.user, User)
    if number_in(wanted) in tenants_of(DirectoryKind.MEMBER, str(request.user.pk)):
        request.session[SESSION_KEY] = int(wanted)
    return redirect("console:overview")


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link of an invitation leads: log in or sign up with that address, then join."""
    found = tenants_of(DirectoryKind.INVITATION, token)
    if not found:
        words = "This invitation does not exist, was withdrawn, or has been used."
        return render(request, "console/members/invitation.html", {"problem": words}, status=404)
    if not isinstance(request.user, User):
        return render(request, "console/members/invitation.html", {"next": request.path})
    if request.method != "POST":
        return render(request, "console/members/invitation.html", {"may_join": True})
    try:
        services.accept_invitation(tenant_id=found[0], token=token, user=request.user)
    except services.MemberRuleBroken as broken:
        return render(request, "console/members/invitation.html", {"problem": str(broken)}, status=409)
    request.session[SESSION_KEY] = found[0]
    return redirect("console:overview")


@require_GET
@member_page(Right.VIEW_AUDIT)
def audit_log(request: MemberRequest) -> HttpResponse:
    """Who changed what."""
    form = AuditFilterForm(request.GET)
    form.is_valid()
    who, what = form.cleaned_data.get("who", ""), form.cleaned_data.get("what", "")
    entries = AuditEntry.objects.order_by("-id")
    if who:
        entries = entries.filter(actor_label__istartswith=who)
    if what:
        entries = entries.filter(Q(action__icontains=what.replace(" ", "_")) | Q(subject__icontains=what))
    before = number_in(request.GET.get("before", ""))
    if before:
        entries = entries.filter(id__lt=before)
    rows = list(entries[: _AUDIT_ROWS + 1])
    older = address(request, before=str(rows[_AUDIT_ROWS - 1].pk)) if len(rows) > _AUDIT_ROWS else ""
    context = {"form": form, "entries": rows[:_AUDIT_ROWS], "older": older, "is_filtered": bool(who or what)}
    return render(request, "console/members/audit.html", context)
