"""The filters of a list of custom records."""

from django import forms

from apps.audience.selectors.custom_records import BY_NAME, NEWEST, ORDERS, CustomRecordFilter
from apps.console.listing import yes_no
from apps.core.paging import Order

_ANY = ("", "Any")


class CustomRecordFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.SearchInput)
    linked = forms.ChoiceField(
        label="Linked with Salesforce", required=False, choices=[_ANY, ("yes", "Linked"), ("no", "Not linked")]
    )
    status = forms.ChoiceField(label="Status", required=False, choices=[_ANY, ("yes", "Active"), ("no", "Inactive")])
    sort = forms.ChoiceField(
        label="Sort by", required=False, choices=[(BY_NAME.name, "Name A–Z"), (NEWEST.name, "Newest first")]
    )

    def wanted(self) -> CustomRecordFilter:
        """The filter; a field with a bad value counts as empty."""
        self.is_valid()
        said = self.cleaned_data
        return CustomRecordFilter(
            search=said.get("q", ""), linked=yes_no(said.get("linked", "")), active=yes_no(said.get("status", ""))
        )

    def order(self) -> Order:
        """The order of rows."""
        self.is_valid()
        return ORDERS.get(self.cleaned_data.get("sort", ""), BY_NAME)
