"""The hub of integrations and the connection to a Salesforce org."""

import os

from django.apps import AppConfig
from django.conf import settings


class IntegrationsConfig(AppConfig):
    name = "apps.integrations"

    def ready(self) -> None:
        """Let OAuth speak plain HTTP only where every trusted host is this machine (design, section 6)."""
        if settings.SALESFORCE_IS_LOOPBACK:
            os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        else:
            os.environ.pop("OAUTHLIB_INSECURE_TRANSPORT", None)
