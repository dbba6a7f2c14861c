"""The filters of the outbound queue."""

from django import forms

from apps.outbox.selectors import ChangeState

STATE_WORDS: dict[str, str] = {
    ChangeState.WAITING: "Waiting",
    ChangeState.IN_FLIGHT: "On its way",
    ChangeState.HELD: "Held",
}


class QueueFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Record or Salesforce id", required=False, widget=forms.SearchInput)
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any"), *((str(s), words) for s, words in STATE_WORDS.items())]
    )

    def value(self, name: str) -> str:
        """A filter's value; a bad one counts as empty."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")
