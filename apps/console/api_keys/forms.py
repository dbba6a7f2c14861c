"""The form of a new API key."""

from datetime import datetime, timedelta

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone

from apps.tenants.models import Scope

_LIVES = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))


class ApiKeyForm(forms.Form):
    """What a key is for, what it may do, and how long it works."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="What it is for, such as “Website forms”. The timeline names it.",
        validators=[ProhibitNullCharactersValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    expires = forms.ChoiceField(label="Expires", choices=_LIVES, required=False)
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope.value, scope.words) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one thing that it may do."},
    )

    def expires_at(self) -> datetime | None:
        """When the key stops working; None: never."""
        days = self.cleaned_data["expires"]
        return timezone.now() + timedelta(days=int(days)) if days else None

    def chosen_scopes(self) -> list[Scope]:
        """The scopes that are ticked."""
        return [Scope(value) for value in self.cleaned_data["scopes"]]
