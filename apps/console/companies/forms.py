"""The filters of the companies list."""

from django import forms

from apps.audience.models import Source
from apps.audience.selectors.companies import BY_NAME, NEWEST, ORDERS, CompanyFilter
from apps.console.listing import yes_no
from apps.console.timeline import SOURCE_WORDS
from apps.core.paging import Order

_ANY = ("", "Any")


class CompanyFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.SearchInput)
    linked = forms.ChoiceField(
        label="Linked with Salesforce", required=False, choices=[_ANY, ("yes", "Linked"), ("no", "Not linked")]
    )
    status = forms.ChoiceField(label="Status", required=False, choices=[_ANY, ("yes", "Active"), ("no", "Inactive")])
    source = forms.ChoiceField(
        label="Came from", required=False, choices=[_ANY, *((s.value, SOURCE_WORDS[s]) for s in Source)]
    )
    filter = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    sort = forms.ChoiceField(
        label="Sort by", required=False, choices=[(BY_NAME.name, "Name A–Z"), (NEWEST.name, "Newest first")]
    )

    def wanted(self) -> CompanyFilter:
        """The filter; a field with a bad value counts as empty."""
        self.is_valid()
        said = self.cleaned_data
        return CompanyFilter(
            search=said.get("q", ""),
            linked=yes_no(said.get("linked", "")),
            active=yes_no(said.get("status", "")),
            source=said.get("source", ""),
        )

    def order(self) -> Order:
        """The order of rows."""
        self.is_valid()
        return ORDERS.get(self.cleaned_data.get("sort", ""), BY_NAME)
