"""The form of an endpoint."""

from django import forms

from apps.domain.webhooks import RECORD_EVENTS, WebhookEvent
from apps.notifications.models import EndpointKind
from apps.notifications.webhooks.addresses import BadAddress, checked_url

_CHOICES = [(event.value, event.label) for event in WebhookEvent if event not in {"test", "rule.called"}]


class EndpointForm(forms.Form):
    """What an endpoint is called, where it is, and what it hears."""

    name = forms.CharField(label="Name", max_length=120, help_text="What you call the system that is told.")
    kind = forms.ChoiceField(label="Kind", choices=[(kind.value, kind.label) for kind in EndpointKind])
    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="Begins with https://. For Slack: the address of an incoming webhook of your channel.",
    )
    events = forms.MultipleChoiceField(
        label="Events", choices=_CHOICES, required=False, widget=forms.CheckboxSelectMultiple
    )
    with_bulk = forms.BooleanField(
        label="Each record of full syncs and imports, too",
        required=False,
        help_text="Off: a full sync or an import is one event, when it has finished. On: ten thousand records are ten "
        "thousand calls.",
    )

    def __init__(self, *args: object, is_new: bool = True, is_slack: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments, handed on
        self.is_new, self.is_slack = is_new, is_slack
        if not is_new:
            del self.fields["kind"]
            self.fields["url"].required = False
            self.fields["url"].help_text = "Leave it empty to keep the address there is."
        for name in ("name", "url", "with_bulk"):
            self.fields[name].widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_url(self) -> str:
        typed: str = self.cleaned_data["url"]
        if not typed:
            return ""
        try:
            return checked_url(typed)
        except BadAddress as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def clean(self) -> dict[str, object]:
        said: dict[str, object] = super().clean() or self.cleaned_data
        chosen = said.get("events")
        events = {str(name) for name in chosen} if isinstance(chosen, list) else set()
        if not events:
            self.add_error("events", "Choose at least one event.")
        is_slack = self.is_slack or said.get("kind") == EndpointKind.SLACK
        if is_slack and events & {event.value for event in RECORD_EVENTS}:
            self.add_error("events", "A channel is told of syncs, errors and health, not of each record.")
        return said
