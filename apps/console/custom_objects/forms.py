"""The forms with which a custom object is chosen and added."""

from typing import Any

from django import forms

from apps.integrations.models import ReferenceItem


class PickForm(forms.Form):
    """Which custom object of the org."""

    sobject = forms.ChoiceField(label="Custom object", error_messages={"invalid_choice": "There is no such object."})

    def __init__(self, data: Any = None, *, choosable: list[ReferenceItem]) -> None:
        super().__init__(data)
        field = self.fields["sobject"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(item.key, f"{item.label} ({item.key})") for item in choosable]


class AddForm(forms.Form):
    """What its records are called here, how they are found, and which way they go."""

    label = forms.CharField(label="One of them is called", max_length=80)
    label_plural = forms.CharField(label="Many of them are called", max_length=80)
    key_field = forms.ChoiceField(
        label="Match by",
        required=False,
        help_text="Links a record that is here already with its row there. Choose a field whose values are unique.",
    )
    direction = forms.ChoiceField(
        label="Direction",
        choices=[("pull", "From Salesforce to Syncline only"), ("two_way", "Both ways")],
        help_text="It can be changed for every field afterwards.",
    )

    def __init__(self, data: Any = None, *, keys: list[tuple[str, str]], label: str = "", plural: str = "") -> None:
        best = next((name for name, _ in keys if name != "Name"), "")
        super().__init__(data, initial={"label": label, "label_plural": plural, "key_field": best})
        field = self.fields["key_field"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Nothing: every row makes a record of its own"), *keys]
