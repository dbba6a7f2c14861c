"""The forms of the import wizard: the file, then what its columns mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from apps.audience.models import List
from apps.imports.columns import Target
from apps.imports.models import Mode

_MOST_LISTS = 500
NEW_LIST = "new"


class UploadForm(forms.Form):
    """A file."""

    file = forms.FileField(
        label="CSV file",
        help_text="With a header in its first row; commas, semicolons or tabs; up to 200 MB.",
        widget=forms.ClearableFileInput(
            attrs={"accept": ".csv,.txt,.tsv,text/csv", "aria-describedby": "id_file_helptext"}
        ),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )


class ColumnsForm(forms.Form):
    """What each column fills, and what happens to records that are here already."""

    mode = forms.ChoiceField(
        label="Somebody who is here already",
        choices=[(mode.value, mode.label) for mode in Mode],
        initial=Mode.UPDATE.value,
        widget=forms.RadioSelect,
    )
    reactivates = forms.BooleanField(
        label="Reactivate who was deactivated", required=False, initial=True, help_text="Off: they stay deactivated."
    )
    to = forms.ChoiceField(label="Put everybody on a list", required=False)
    list_name = forms.CharField(label="Name of the new list", required=False, max_length=200)

    def __init__(
        self, *args: Any, header: Sequence[str], targets: Mapping[str, Target], guessed: Mapping[int, str],
        record_type: str, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        choices = [("", "Leave out"), *((target.name, target.label) for target in targets.values())]
        self.columns = []
        for number, title in enumerate(header):
            name = f"column-{number}"
            field = forms.ChoiceField(label=title, required=False, choices=choices, initial=guessed.get(number, ""))
            self.fields[name] = field
            self.columns.append(name)
        if record_type == "person":
            lists = List.objects.filter(is_active=True).order_by("name_key", "id")[:_MOST_LISTS]
            choices = [("", "No list"), (NEW_LIST, "A new list"), *((str(row.pk), row.name) for row in lists)]
            self.fields["to"] = forms.ChoiceField(label="Put everybody on a list", required=False, choices=choices)
        else:
            del self.fields["to"], self.fields["list_name"]

    @property
    def mapping(self) -> dict[int, str]:
        """Field by column."""
        said = {number: self.cleaned_data.get(name, "") for number, name in enumerate(self.columns)}
        return {number: name for number, name in said.items() if name}
