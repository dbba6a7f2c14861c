"""Who may frame a page: the hosts of one org, and nobody else."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

_MY_DOMAIN = re.compile(r"(?P<name>[a-z0-9-]+)(?P<partition>(?:\.[a-z0-9-]+)?)\.my\.salesforce\.com")
_SALESFORCE = ("https://*.my.salesforce.com", "https://*.lightning.force.com", "https://*.vf.force.com")


def frame_ancestors(instance_url: str) -> list[str]:
    """The org's own hosts: its My Domain, and by the rules of enhanced domains the hosts of Lightning and of
    Visualforce pages without a namespace (facts.md, sections 1 and 13). Every ancestor of a frame must be named."""
    parts = urlsplit(instance_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    found = _MY_DOMAIN.fullmatch(parts.netloc.lower())
    if found is None:
        return [origin]
    name, partition = found["name"], found["partition"]
    return [
        origin,
        f"https://{name}{partition}.lightning.force.com",
        f"https://{name}--c{partition}.vf.force.com",
    ]


def any_salesforce() -> list[str]:
    """For a page that only says why there is nothing to see, when it is not known whose frame it is in."""
    scheme = "http" if settings.SALESFORCE_IS_LOOPBACK else "https"
    return [*_SALESFORCE, *(f"{scheme}://{host}" for host in settings.SALESFORCE_TRUSTED_HOSTS)]


def framed(response: HttpResponse, ancestors: Iterable[str]) -> HttpResponse:
    """Let these hosts frame the answer. Browsers that know ``frame-ancestors`` obey it alone; X-Frame-Options, which
    cannot name hosts, is left out."""
    response.xframe_options_exempt = True
    response._csp_replace = {"frame-ancestors": list(ancestors)}  # type: ignore[attr-defined]  # read by django-csp
    return unstored(response)


def unstored(response: HttpResponse) -> HttpResponse:
    """Nothing of the panel stays in a cache, or in the address that another site is told."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
