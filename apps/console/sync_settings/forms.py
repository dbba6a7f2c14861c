"""The form of the sync settings: those that the engine honours by now."""

from typing import TYPE_CHECKING, Any

from django import forms

from apps.sync_settings.models import SyncSettings

if TYPE_CHECKING:
    _Form = forms.ModelForm[SyncSettings]
else:  # generic for the type checker only
    _Form = forms.ModelForm

SWITCHES: tuple[tuple[str, str], ...] = (
    (
        "syncs_enabled",
        "Off: nothing moves either way, and changes for Salesforce wait. On again: they go out.",
    ),
    (
        "group_edition",
        "Campaigns are left out both ways, because these editions have none.",
    ),
    (
        "person_accounts",
        "Account and contact fields of one record become one person; business accounts go on as companies. "
        "Set by what we found in your org.",
    ),
    (
        "blank_in",
        "Example: the phone number of a contact is emptied in Salesforce. On: it becomes empty here, too. "
        "Off: the number here stays.",
    ),
    (
        "sync_members",
        "Each Campaign becomes a list here; who is added or removed there is added or removed here.",
    ),
    (
        "opt_out_in",
        "Whoever has Email Opt Out in Salesforce gets no e-mail from here. Filters and mappings do not change that.",
    ),
)


class SyncSettingsForm(_Form):
    """Settings with the version that the person saw, so that two people do not overwrite each other unseen."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    class Meta:
        model = SyncSettings
        fields = (*(name for name, _ in SWITCHES), "api_share_percent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        for name, words in SWITCHES:
            self.fields[name].help_text = words
            self.fields[name].widget.attrs["aria-describedby"] = f"id_{name}_help"
        share = self.fields["api_share_percent"]
        share.widget.attrs |= {"min": 1, "max": 100, "aria-describedby": "id_api_share_percent_help"}
        share.help_text = "Percent that Syncline may use of the calls your org is allowed in 24 hours."

    def clean_api_share_percent(self) -> int:
        share: int = self.cleaned_data["api_share_percent"]
        if not 1 <= share <= 100:
            raise forms.ValidationError("Enter a share between 1 and 100.")
        return share

    @property
    def switches(self) -> list[forms.BoundField]:
        return [self[name] for name, _ in SWITCHES]

    @property
    def values(self) -> dict[str, Any]:
        """What is to be saved, without the version."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}
