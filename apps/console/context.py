"""What every page's shell shows."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """The member, the tenant and the tenants to switch to; empty for a stranger."""
    return {
        "membership": getattr(request, "membership", None),
        "tenant": getattr(request, "tenant", None),
    }
