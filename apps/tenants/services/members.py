"""Inviting, joining, changing roles, leaving."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from apps.tenants.audit import audit
from apps.tenants.directory import enter, key_hash, leave
from apps.tenants.models import DirectoryKind, Invitation, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction

LIFETIME = timedelta(days=7)


class MemberRuleBroken(Exception):
    """What was asked breaks a rule; the message says which, in words."""


def invite_member(*, tenant: Tenant, email: str, role: Role, inviter: User) -> str:
    """Invite by mail and answer the link; an open invitation of the same address is replaced."""
    email = email.strip().lower()
    if Membership.objects.filter(user__email=email).exists():
        raise MemberRuleBroken(f"{email} is a member already.")
    if role is Role.OWNER and not Membership.objects.filter(user=inviter, role=Role.OWNER).exists():
        raise MemberRuleBroken("Only an owner can invite an owner.")
    Invitation.objects.filter(email=email, accepted_at__isnull=True, withdrawn_at__isnull=True).update(
        withdrawn_at=timezone.now()
    )
    token = secrets.token_urlsafe(32)
    Invitation.objects.create(
        email=email,
        role=role,
        token_hash=key_hash(DirectoryKind.INVITATION, token),
        invited_by=inviter,
        expires_at=timezone.now() + LIFETIME,
    )
    enter(kind=DirectoryKind.INVITATION, key=token)
    audit(actor=inviter, action="member_invited", subject=email, after={"role": role.value})
    link = settings.SYNCLINE_BASE_URL + reverse("console:invitation", args=[token])
    send_mail(
        f"Join {tenant.name} on Syncline",
        f"{inviter.display_name} invites you to {tenant.name} as {role.label}.\n\n{link}\n\nThe link works for 7 days.",
        None,
        [email],
        fail_silently=True,
    )
    return link


def accept_invitation(*, tenant_id: int, token: str, user: User) -> None:
    """Make ``user`` a member; raises MemberRuleBroken for an invitation that is used, old or somebody else's."""
    with tenant_transaction(tenant_id):
        invitation = (
            Invitation.objects.select_for_update().filter(token_hash=key_hash(DirectoryKind.INVITATION, token)).first()
        )
        if invitation is None or invitation.withdrawn_at is not None:
            raise MemberRuleBroken("This invitation was withdrawn.")
        if invitation.accepted_at is not None:
            raise MemberRuleBroken("This invitation has been used.")
        if invitation.expires_at < timezone.now():
            raise MemberRuleBroken("This invitation is older than 7 days. Ask for a new one.")
        if invitation.email != user.email.lower():
            raise MemberRuleBroken(f"This invitation is for {invitation.email}. Log in with that address.")
        Membership.objects.get_or_create(user=user, defaults={"role": invitation.role})
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])
        enter(kind=DirectoryKind.MEMBER, key=str(user.pk))
        leave(kind=DirectoryKind.INVITATION, key=token)
        audit(actor=user, action="member_joined", subject=user.email, after={"role": invitation.role})


def withdraw_invitation(*, invitation: Invitation, actor: User) -> None:
    """Take an open invitation back."""
    Invitation.objects.filter(id=invitation.pk, accepted_at__isnull=True).update(withdrawn_at=timezone.now())
    audit(actor=actor, action="invitation_withdrawn", subject=invitation.email)


def change_role(*, membership: Membership, role: Role, actor: Membership) -> None:
    """Give a member another role; the last owner stays one, and only owners make or unmake owners."""
    if Role.OWNER in {Role(membership.role), role} and actor.role != Role.OWNER:
        raise MemberRuleBroken("Only an owner can change who is an owner.")
    _keep_an_owner(membership, stays_owner=role is Role.OWNER)
    before = membership.role
    membership.role = role
    membership.save(update_fields=["role"])
    audit(
        actor=actor.user,
        action="role_changed",
        subject=membership.user.email,
        before={"role": before},
        after={"role": role.value},
    )


def remove_member(*, membership: Membership, actor: Membership) -> None:
    """End a membership; the last owner cannot be removed."""
    if membership.role == Role.OWNER and actor.role != Role.OWNER:
        raise MemberRuleBroken("Only an owner can remove an owner.")
    _keep_an_owner(membership, stays_owner=False)
    leave(kind=DirectoryKind.MEMBER, key=str(membership.user_id))
    audit(actor=actor.user, action="member_removed", subject=membership.user.email)
    membership.delete()


def _keep_an_owner(membership: Membership, *, stays_owner: bool) -> None:
    if membership.role != Role.OWNER or stays_owner:
        return
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER)
    if len(owners) == 1:
        raise MemberRuleBroken("An account needs an owner: make somebody else one first.")
