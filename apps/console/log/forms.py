"""The filters of the activity log and of a run's rows."""

from typing import Any

from django import forms

from apps.sync.models import RunObject
from apps.sync.selectors.entries import ACTION_WORDS
from apps.sync.selectors.runs import KIND_WORDS, STATE_WORDS

_ANY = ("", "Any")


class _ChoiceForm(forms.Form):
    """Choices from the address; a bad one counts as empty."""

    def value(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


class RunFilterForm(_ChoiceForm):
    """Which runs the log shows."""

    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[_ANY, *((str(k), w) for k, w in KIND_WORDS.items())]
    )
    state = forms.ChoiceField(
        label="State", required=False, choices=[_ANY, *((str(k), w) for k, w in STATE_WORDS.items())]
    )


class RowFilterForm(_ChoiceForm):
    """Which rows of a run are shown."""

    object = forms.ChoiceField(label="Object", required=False)
    action = forms.ChoiceField(
        label="Action", required=False, choices=[_ANY, *((str(a), w) for a, w in ACTION_WORDS.items())]
    )

    def __init__(self, *arguments: Any, objects: list[RunObject], **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["object"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [_ANY, *((row.sobject, row.label or row.sobject) for row in objects)]
