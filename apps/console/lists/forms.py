"""The filters of the lists list, and the form of a new list."""

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

    show = forms.ChoiceField(label="Show", required=False, choices=[("", "In use"), ("archived", "Archived")])

    def value(self, name: str) -> str:
        """A field's value; a bad one counts as empty."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


class ListForm(forms.Form):
    """A new list."""

    name = forms.CharField(label="Name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    is_campaign = forms.BooleanField(
        label="Keep it as a Campaign in Salesforce, too",
        required=False,
        help_text="A Campaign of this name is made there; who is added or taken off here is so there, and the other "
        "way round.",
    )
