"""Where a person may log in to Salesforce: production, a sandbox, or the org's own My Domain."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings

from apps.domain.failures import Failure
from apps.salesforce.hosts import checked_base

_SANDBOX_URL = "https://test.salesforce.com"
_MY_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


class LoginChoice(StrEnum):
    """The three ways to log in (facts, section 1)."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    MY_DOMAIN = "my_domain"


class BadLoginHost(ValueError):
    """The host that was typed in is none of Salesforce's, with the reason in words."""


@dataclass(frozen=True, slots=True)
class LoginOption:
    """One choice as the page shows it."""

    choice: LoginChoice
    label: str
    host: str


def login_options() -> list[LoginOption]:
    """The choices with the host that each leads to."""
    return [
        LoginOption(LoginChoice.PRODUCTION, "Production or Developer Edition", _host(settings.SALESFORCE_LOGIN_URL)),
        LoginOption(LoginChoice.SANDBOX, "Sandbox", _host(_SANDBOX_URL)),
        LoginOption(LoginChoice.MY_DOMAIN, "Your own My Domain", "yourcompany.my.salesforce.com"),
    ]


def login_url_for(choice: str, my_domain: str = "") -> str:
    """The login address of a choice; raises BadLoginHost where the host is missing or not Salesforce's.

    A bare My Domain name stands for ``NAME.my.salesforce.com``.
    """
    if choice == LoginChoice.PRODUCTION:
        return str(settings.SALESFORCE_LOGIN_URL)
    if choice == LoginChoice.SANDBOX:
        return _SANDBOX_URL
    if choice != LoginChoice.MY_DOMAIN:
        raise BadLoginHost("Choose where you log in to Salesforce.")
    typed = my_domain.strip().lower()
    if not typed:
        raise BadLoginHost("Enter your My Domain, for example yourcompany.my.salesforce.com.")
    if _MY_DOMAIN.fullmatch(typed) and typed != "localhost":
        typed += ".my.salesforce.com"
    if "://" not in typed:
        typed = f"https://{typed}"
    # People paste the address of the page they are on, which is Lightning's host.
    typed = typed.replace(".lightning.force.com", ".my.salesforce.com")
    try:
        return checked_base(typed, settings.SALESFORCE_TRUSTED_HOSTS)
    except (Failure, ValueError) as error:
        raise BadLoginHost("This is not an address of Salesforce. It ends with .my.salesforce.com.") from error


def _host(url: str) -> str:
    return urlsplit(url).netloc
