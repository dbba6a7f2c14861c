"""The filters of the opportunities list."""

from typing import Any

from django import forms

from apps.audience.selectors.opportunities import BY_NAME, NEWEST, ORDERS, OpportunityFilter
from apps.console.listing import yes_no
from apps.core.paging import Order

_ANY = ("", "Any")


class OpportunityFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.SearchInput)
    stage = forms.ChoiceField(label="Stage", required=False)
    closed = forms.ChoiceField(label="State", required=False, choices=[_ANY, ("no", "Open"), ("yes", "Closed")])
    company = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    sort = forms.ChoiceField(
        label="Sort by", required=False, choices=[(NEWEST.name, "Newest first"), (BY_NAME.name, "Name A–Z")]
    )

    def __init__(self, *arguments: Any, stages: list[str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["stage"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [_ANY, *((stage, stage) for stage in stages)]

    def wanted(self) -> OpportunityFilter:
        """The filter; a field with a bad value counts as empty."""
        self.is_valid()
        said = self.cleaned_data
        return OpportunityFilter(
            search=said.get("q", ""),
            stage=said.get("stage", ""),
            closed=yes_no(said.get("closed", "")),
            company_id=said.get("company"),
        )

    def order(self) -> Order:
        """The order of rows."""
        self.is_valid()
        return ORDERS.get(self.cleaned_data.get("sort", ""), NEWEST)
