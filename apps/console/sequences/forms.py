"""The filters of the sequences list, and the form of a sequence."""

from django import forms


class SequenceFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.SearchInput)
    show = forms.ChoiceField(label="Show", required=False, choices=[("", "In use"), ("archived", "Archived")])

    def value(self, name: str) -> str:
        """A field's value; a bad one counts as empty."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


class SequenceForm(forms.Form):
    """A sequence's name and what it is for."""

    name = forms.CharField(label="Name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(
        label="What it is for", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3})
    )
