"""What is to be told to whom: notices become mail, deliveries go to webhooks."""

from apps.notifications.models.inbox import NoticeRead
from apps.notifications.models.notices import Notice, NoticeKind, Recipients
from apps.notifications.models.webhooks import Attempt, Delivery, DeliveryState, EndpointKind, WebhookEndpoint

__all__ = [
    "Attempt",
    "Delivery",
    "DeliveryState",
    "EndpointKind",
    "Notice",
    "NoticeKind",
    "NoticeRead",
    "Recipients",
    "WebhookEndpoint",
]
