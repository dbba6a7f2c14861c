"""The filters of the people list."""

from django import forms

from apps.audience.models import Source
from apps.audience.selectors.people import BY_NAME, BY_NAME_BACK, NEWEST, ORDERS, PeopleFilter
from apps.console.listing import yes_no
from apps.console.timeline import SOURCE_WORDS
from apps.core.paging import Order

_ANY = ("", "Any")


class PeopleFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.SearchInput)
    linked = forms.ChoiceField(
        label="Linked with Salesforce", required=False, choices=[_ANY, ("yes", "Linked"), ("no", "Not linked")]
    )
    object = forms.ChoiceField(
        label="Salesforce object", required=False, choices=[_ANY, ("Lead", "Lead"), ("Contact", "Contact")]
    )
    status = forms.ChoiceField(label="Status", required=False, choices=[_ANY, ("yes", "Active"), ("no", "Inactive")])
    consent = forms.ChoiceField(
        label="E-mail consent", required=False, choices=[_ANY, ("no", "May be mailed"), ("yes", "Unsubscribed")]
    )
    source = forms.ChoiceField(
        label="Came from", required=False, choices=[_ANY, *((s.value, SOURCE_WORDS[s]) for s in Source)]
    )
    company = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    filter = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    sort = forms.ChoiceField(
        label="Sort by",
        required=False,
        choices=[(NEWEST.name, "Newest first"), (BY_NAME.name, "Last name A–Z"), (BY_NAME_BACK.name, "Last name Z–A")],
    )

    def wanted(self) -> PeopleFilter:
        """The filter; a field with a bad value counts as empty."""
        self.is_valid()
        said = self.cleaned_data
        return PeopleFilter(
            search=said.get("q", ""),
            linked=yes_no(said.get("linked", "")),
            sobject=said.get("object", ""),
            active=yes_no(said.get("status", "")),
            opted_out=yes_no(said.get("consent", "")),
            source=said.get("source", ""),
            company_id=said.get("company"),
        )

    def order(self) -> Order:
        """The order of rows."""
        self.is_valid()
        return ORDERS.get(self.cleaned_data.get("sort", ""), NEWEST)
