"""The pages of an attempt to connect that did not end in a connection: what happened, and the way on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One such page. ``steps`` are for the person, or for the administrator of the org."""

    code: str
    title: str
    cause: str
    steps: tuple[str, ...]
    status: int = 400
    offers_again: bool = True


def _page(code: str, title: str, cause: str, *steps: str, status: int = 400, again: bool = True) -> Outcome:
    return Outcome(code, title, cause, steps, status, again)


OUTCOMES: dict[str, Outcome] = {
    page.code: page
    for page in (
        _page(
            "denied",
            "Access was not allowed",
            "Somebody pressed Deny in Salesforce. Nothing was connected and nothing was stored.",
            "Connect again and press Allow.",
            "Not sure whether you may? Ask your Salesforce administrator to connect.",
        ),
        _page(
            "state",
            "This answer does not belong to an attempt of yours",
            "The address was opened in another browser, by another person, or was made up. It was not used.",
            "Start again from here, in this browser.",
        ),
        _page(
            "other_account",
            "You have switched to another account meanwhile",
            "The attempt to connect was begun in another of your Syncline accounts. Nothing was connected.",
            "Switch back to that account, or start again to connect this one.",
            status=409,
        ),
        _page(
            "replayed",
            "This answer has been used already",
            "Each answer of Salesforce works once. It was probably loaded again.",
            "If the connection is there, all is well. Otherwise start again.",
        ),
        _page(
            "expired",
            "The attempt has expired",
            "Salesforce's code works for a few minutes and once only.",
            "Start again, and log in within 15 minutes.",
        ),
        _page(
            "wrong_org",
            "That is another Salesforce org",
            "You logged in to an org other than the connected one. Nothing was changed, and the access it gave us was "
            "returned.",
            "To renew the connection, log in again as a user of the connected org.",
            "To change to the other org, disconnect the present one and choose “Keep it, and move to another org”.",
            status=409,
        ),
        _page(
            "taken",
            "This org is connected to another Syncline account",
            "A Salesforce org can be connected to one account at a time, so that two accounts never write over each "
            "other.",
            "Ask your colleagues who connected it, and disconnect it there.",
            "Or log in to another org, for example a sandbox.",
            status=409,
        ),
        _page(
            "not_installed",
            "The app is not installed in your org",
            "Since September 2025 Salesforce blocks apps that are not installed for everybody but administrators.",
            "Ask a Salesforce administrator to press “Connect Salesforce Account” once.",
            "Then, in Salesforce: Setup, Connected Apps OAuth Usage, find Syncline, press Install.",
            "After that the integration user can connect.",
            status=403,
        ),
        _page(
            "api_disabled",
            "Salesforce's API is closed to this user",
            "The edition has no API, or the user lacks “API Enabled”. The access was returned.",
            "Enterprise, Unlimited, Performance and Developer Edition have the API; Professional needs the add-on.",
            "In Salesforce, add “API Enabled” to the user's profile or a permission set, then connect again.",
            status=403,
        ),
        _page(
            "unavailable",
            "Salesforce cannot be reached",
            "It did not answer in time, or answered that it is unavailable. Nothing was stored.",
            "Wait a minute, then start again.",
            status=503,
        ),
        _page(
            "limit",
            "Salesforce's daily API limit is used up",
            "The org has no calls left for now.",
            "Wait until calls are free again, then start again.",
            status=503,
        ),
        _page(
            "untrusted_host",
            "Salesforce named an address that is not its own",
            "The org's address is not on Salesforce's domains, so we did not send anything there.",
            "Tell us, if this org is yours.",
        ),
        _page(
            "configuration",
            "Syncline's app is not set up rightly",
            "Salesforce refused the app itself, not you: its id, secret or callback address does not fit.",
            "Tell whoever runs this Syncline; there is nothing you can do in Salesforce.",
            status=502,
        ),
        _page(
            "failed",
            "Connecting did not work",
            "Salesforce gave an answer that we did not understand. Nothing was stored.",
            "Start again. If it happens twice, tell us.",
            status=502,
        ),
    )
}


def outcome_for(code: str) -> Outcome:
    """The page of a refusal; one that has no page of its own gets the general one."""
    return OUTCOMES.get(code, OUTCOMES["failed"])
