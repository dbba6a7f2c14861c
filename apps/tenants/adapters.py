"""How accounts work here, for django-allauth."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from apps.tenants.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """E-mail addresses are kept in lower case, as the directory and invitations know them."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=False)
        saved.email = saved.email.lower()
        if commit:
            saved.save()
        return saved
