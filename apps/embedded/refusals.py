"""What the panel says where it shows nothing."""

from dataclasses import dataclass

from apps.embedded.signed_request import Reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """A heading, what happened, and what helps."""

    title: str
    words: str
    help: str
    status: int = 400


_RELOAD = "Reload this page"
_AGAIN = "Reload the record's page in Salesforce. If this stays, tell your Salesforce administrator."
REFUSALS: dict[Reason, Refusal] = {
    Reason.MALFORMED: Refusal(_RELOAD, "Salesforce's request could not be read.", _AGAIN),
    Reason.FORGED: Refusal(
        _RELOAD,
        "The request was not signed with the secret that Syncline knows.",
        "Reload the record's page in Salesforce. If this stays, the consumer secret was changed: tell your "
        "administrator.",
        403,
    ),
    Reason.STALE: Refusal(_RELOAD, "This panel is shown for a few minutes only; its time is over.", _AGAIN, 403),
    Reason.REPLAYED: Refusal(
        _RELOAD, "Each request of Salesforce opens the panel once, and this one has.", _AGAIN, 403
    ),
    Reason.NOT_CONNECTED: Refusal(
        "Your org is not connected",
        "No Syncline account is connected with this Salesforce org.",
        "A Syncline administrator connects it under Integrations, Salesforce.",
        403,
    ),
    Reason.NO_RECORD: Refusal(
        "Nothing to show here",
        "This page of Salesforce is not that of a lead or a contact.",
        "Put the panel on the page layouts of leads and contacts.",
    ),
    Reason.NOT_APPROVED: Refusal(
        "Your Salesforce administrator has to allow this",
        "Salesforce does not tell Syncline who you are, because the app is not pre-authorised for you.",
        'In the app\'s policies the administrator sets "Permitted Users" to "Admin approved users are '
        'pre-authorized" and assigns the permission set "Syncline".',
        403,
    ),
    Reason.NOT_FRAMED: Refusal(
        "This page is a part of Salesforce",
        "It shows a lead or a contact inside Salesforce, and nothing when it is opened by itself.",
        "Open a lead or a contact in Salesforce.",
        200,
    ),
}
