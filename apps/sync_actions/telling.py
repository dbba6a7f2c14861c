"""Actions that tell somebody: a member, or another system."""

from apps.domain.actions import Action
from apps.domain.transforms import render
from apps.notifications.models import WebhookEndpoint
from apps.notifications.services import NoticeKind, notify
from apps.notifications.webhooks.addresses import BadAddress
from apps.notifications.webhooks.emitting import call_webhook
from apps.sync_actions.effects import Acting, ActionFailed, Effect, whole
from apps.tenants.models import Membership


def notify_member(at: Acting, action: Action) -> Effect:
    """Send a member a message about the person."""
    member: Membership | None = Membership.objects.filter(id=whole(action.get("member"))).first()
    if member is None:
        raise ActionFailed("The member is not there any more.")
    words = render(action.get("text"), at.values)
    facts = {"Person": str(at.person), "Rule": at.rule.name, "Because": at.why}
    path = f"/people/{at.person.pk}/"
    notify(kind=NoticeKind.RULE, subject=words[:200], facts=facts, path=path, to=[member.user.email])
    return Effect(f"{member.user.display_name} is notified", after=words)


def webhook(at: Acting, action: Action) -> Effect:
    """Tell an endpoint of the person."""
    endpoint_id = whole(action.get("endpoint"))
    payload = {
        "rule": {"id": at.rule.pk, "name": at.rule.name},
        "because": at.why,
        "person": {"id": at.person.pk, **{name: text for name, text in at.values.items() if text}},
    }
    try:
        call_webhook(payload, key=f"rule {at.rule.pk} person {at.person.pk} {at.key}", endpoint_id=endpoint_id)
    except WebhookEndpoint.DoesNotExist as gone:
        raise ActionFailed("The webhook is not there any more, or switched off.") from gone
    except BadAddress as bad:
        raise ActionFailed(str(bad)) from bad
    return Effect("The webhook is called")
