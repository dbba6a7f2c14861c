"""The form of the sync settings, in the groups that the page shows."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import validate_email

from apps.domain.forecast import Forecast
from apps.sync_settings.models import SyncSettings

if TYPE_CHECKING:
    _Form = forms.ModelForm[SyncSettings]
else:  # generic for the type checker only
    _Form = forms.ModelForm

_MOST_RECIPIENTS = 20

HELP: dict[str, str] = {
    "syncs_enabled": "Off: nothing moves either way, and changes for Salesforce wait. On again: they go out.",
    "push_automatically": "On: changes made here leave at once. Off: they leave with the next scheduled sync.",
    "group_edition": "Campaigns are left out both ways, because these editions have none.",
    "person_accounts": "Account and contact fields of one record become one person; business accounts go on as "
    "companies. Set by what we found in your org.",
    "sync_members": "Each Campaign becomes a list here; who is added or removed there is added or removed here.",
    "blank_in": "Example: the phone number of a contact is emptied in Salesforce. On: it becomes empty here, too. "
    "Off: the number here stays.",
    "blank_out": "Better left off. Example: a form is sent in without a phone number. On: the number that sales had "
    "noted in Salesforce is deleted. Off: it stays.",
    "score_only": "On: when a lead score changes, only the score is written. Off: all mapped fields are written "
    "with it.",
    "email_activities": "Example: Ada opens your newsletter. On: her contact in Salesforce gets a completed task "
    "“E-mail opened: Newsletter”. Off: Salesforce is not told. Choose below which e-mail events; what happened before "
    "is not sent afterwards.",
    "activity_email_sent": "One task for each e-mail that a person is sent.",
    "activity_email_opened": "One task for each time an e-mail is opened. This can be many.",
    "activity_email_clicked": "Only the first click of each link. Example: Ada clicks “Price list” three times: "
    "one task.",
    "activity_form_submitted": "Example: Ada sends in “Whitepaper”: her lead gets the task “Form submitted: "
    "Whitepaper” with the page and what she wrote.",
    "activity_page_visited": "One task for each visit of a page. Example: ten pages in a row are ten tasks.",
    "activity_call_logged": "Calls that are logged in Syncline, with length and result.",
    "activity_task_logged": "Tasks that are logged in Syncline.",
    "default_account_name": "Salesforce demands a name of every account and a company of every lead. This stands "
    "in where a person here has none.",
    "default_last_name": "Salesforce demands a last name. This stands in where a person here has none.",
    "save_duplicates": "Off: such a record is held, and you are offered the one that Salesforce names. On: it is "
    "saved as a second one.",
    "opt_out_in": "Whoever has Email Opt Out in Salesforce gets no e-mail from here. Filters and mappings do not "
    "change that.",
    "opt_out_out": "Whoever unsubscribes here, or whose address bounces for good, gets Email Opt Out there. Never "
    "the other way: nobody is opted in again by a sync.",
    "api_share_percent": "Percent of the calls your org is allowed in 24 hours. From 80 % of it we warn, from 95 % "
    "only single records and opt-outs are synced, at 100 % everything waits and goes on by itself.",
    "notification_recipients": "E-mail addresses, one a line. They get a mail when a full sync has finished, at most "
    "one an hour with new errors, and when Salesforce needs somebody.",
}


class SyncSettingsForm(_Form):
    """Settings with the version that the person saw, so that two people do not overwrite each other unseen."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    class Meta:
        model = SyncSettings
        fields = ("frequency_minutes", *HELP)
        widgets = {
            "frequency_minutes": forms.RadioSelect,
            "notification_recipients": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, forecasts: dict[int, Forecast] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._forecasts = forecasts or {}
        self.initial["version"] = self.instance.version
        self.initial["notification_recipients"] = "\n".join(self.instance.recipients)
        for name, words in HELP.items():
            self.fields[name].help_text = words
            self.fields[name].widget.attrs["aria-describedby"] = f"id_{name}_helptext"
        self.fields["api_share_percent"].widget.attrs |= {"min": 1, "max": 100}

    def clean_api_share_percent(self) -> int:
        share: int = self.cleaned_data["api_share_percent"]
        if not 1 <= share <= 100:
            raise forms.ValidationError("Enter a share between 1 and 100.")
        return share

    def clean_notification_recipients(self) -> str:
        """The addresses, one a line; a wrong one is named."""
        listed = SyncSettings(notification_recipients=self.cleaned_data["notification_recipients"]).recipients
        if len(listed) > _MOST_RECIPIENTS:
            raise forms.ValidationError(f"Enter at most {_MOST_RECIPIENTS} addresses.")
        for address in listed:
            try:
                validate_email(address)
            except forms.ValidationError:
                raise forms.ValidationError(f"“{address}” is not an e-mail address.") from None
        return "\n".join(listed)

    @property
    def frequencies(self) -> list[dict[str, Any]]:
        """Each choice with its forecast."""
        chosen = str(self["frequency_minutes"].value())
        return [
            {
                "value": minutes,
                "label": label,
                "is_chosen": chosen == str(minutes),
                "forecast": self._forecasts.get(minutes),
            }
            for minutes, label in SyncSettings.FREQUENCIES
        ]

    @property
    def values(self) -> dict[str, Any]:
        """What is to be saved, without the version."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}
