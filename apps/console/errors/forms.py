"""The filters of the sync errors."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from apps.core.paging import Order
from apps.domain.remedies import words_for
from apps.sync_errors.models import ErrorState
from apps.sync_errors.selectors import LAST_SEEN, LIVE, ORDERS, CategoryCount, ErrorFilter

STATE_WORDS: dict[str, str] = {
    ErrorState.OPEN: "Open",
    ErrorState.RETRYING: "Retrying",
    ErrorState.BLOCKED: "Blocked until something changes",
    ErrorState.RESOLVED: "Resolved by itself",
    ErrorState.CLEARED: "Cleared",
}
OBJECTS = ("Lead", "Contact", "Account", "Opportunity", "Campaign", "CampaignMember")
_ANY = ("", "Any")
_EVERY = "every"
_AGES = {"day": timedelta(days=1), "week": timedelta(days=7)}
_SORTS = {
    "last-seen": "Last seen, newest first",
    "oldest-seen": "Last seen, oldest first",
    "newest": "First seen, newest first",
    "first-seen": "First seen, oldest first",
    "record": "Record A–Z",
    "record-back": "Record Z–A",
}


class ErrorFilterForm(forms.Form):
    """What the address of the list may say; whatever else it says is left out."""

    q = forms.CharField(label="Record or Salesforce id", required=False, widget=forms.SearchInput)
    category = forms.ChoiceField(label="What happened", required=False)
    object = forms.ChoiceField(label="Object", required=False, choices=[_ANY, *((name, name) for name in OBJECTS)])
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Not closed"), *((str(s), w) for s, w in STATE_WORDS.items()), (_EVERY, "Any")],
    )
    age = forms.ChoiceField(
        label="Last seen",
        required=False,
        choices=[_ANY, ("day", "In the last day"), ("week", "In the last week"), ("older", "Longer ago")],
    )
    sort = forms.ChoiceField(label="Sort by", required=False, choices=list(_SORTS.items()))

    def __init__(self, *arguments: Any, counts: list[CategoryCount], **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        shown = {row.category: f"{words_for(row.category).title} ({row.count:,})" for row in counts}
        chosen = str(self.data.get("category", ""))
        if chosen and chosen not in shown and chosen.isidentifier():
            shown[chosen] = words_for(chosen).title
        field.choices = [_ANY, *shown.items()]

    def wanted(self, now: datetime) -> ErrorFilter:
        """The filter; a field with a bad value counts as empty."""
        self.is_valid()
        said = self.cleaned_data
        state, age = said.get("state", ""), said.get("age", "")
        return ErrorFilter(
            search=said.get("q", ""),
            state={"": LIVE, _EVERY: ""}.get(state, state),
            category=said.get("category", ""),
            sobject=said.get("object", ""),
            seen_since=now - _AGES[age] if age in _AGES else None,
            seen_before=now - _AGES["week"] if age == "older" else None,
        )

    def order(self) -> Order:
        """The order of rows."""
        self.is_valid()
        return ORDERS.get(self.cleaned_data.get("sort", ""), LAST_SEEN)
