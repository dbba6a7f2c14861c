"""Which consumer secrets a signed request may be signed with: the one place that knows."""

from django.conf import settings


def consumer_secrets() -> tuple[bytes, ...]:
    """The secrets of the apps that this deployment is framed as. Without one nothing is believed."""
    secret: str = settings.SALESFORCE_CLIENT_SECRET
    return (secret.encode(),) if secret else ()
