"""The filters of the lists list."""

from django import forms

from apps.audience.models import ListKind


class ListFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.SearchInput)
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "Any"), (ListKind.CAMPAIGN.value, "Campaign"), (ListKind.STATIC.value, "List")],
    )

    def value(self, name: str) -> str:
        """A field's value; a bad one counts as empty."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))
