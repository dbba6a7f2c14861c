"""Writing people who are person accounts: the values of the hidden Contact go out as fields of its Account."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from apps.domain.failures import Category, RowFailure
from apps.domain.persons import account_values
from apps.domain.ports import WriteOperation, WriteResult
from apps.domain.writing import body_of
from apps.integrations.gateways import Gateway
from apps.integrations.soql import find_text
from apps.sync.models import WriteIntent
from apps.sync.push.round import Round

_CONTACT_OF = "PersonContactId"
_NO_PERSON = "Salesforce made a business account: the sync user's default record type of accounts is not one of people."


def is_person(work: Round, intent: WriteIntent) -> bool:
    """Whether an intent is about a person account: a row that is one, or a new contact without a company."""
    if work.account is None or intent.sobject != "Contact":
        return False
    return intent.remote_id in work.person_accounts if intent.remote_id else "AccountId" not in intent.values


def write_persons(work: Round, intents: Sequence[WriteIntent]) -> list[WriteResult]:
    """Write through the accounts, in one call; a new person's result names the hidden contact."""
    assert work.account is not None
    operation = WriteOperation.UPDATE if intents[0].remote_id else WriteOperation.CREATE
    bodies = [_body(work, intent) for intent in intents]
    allows = work.settings.save_duplicates
    results = list(work.gateway.write("Account", operation, bodies, allow_duplicates=allows))
    return results if operation is WriteOperation.UPDATE else as_contacts(work.gateway, results)


def _body(work: Round, intent: WriteIntent) -> dict[str, Any]:
    assert work.account is not None
    body: dict[str, Any] = body_of(work.account, account_values(intent.values, work.account.fields))
    return {"Id": work.person_accounts[intent.remote_id], **body} if intent.remote_id else body


def as_contacts(gateway: Gateway, results: Sequence[WriteResult]) -> list[WriteResult]:
    """Results of making person accounts, each with its hidden contact as the row."""
    made = [result.remote_id for result in results if result.is_success]
    if not made:
        return list(results)
    rows = gateway.query(find_text("Account", ["Id", _CONTACT_OF], "Id", made))
    contacts = {str(row["Id"]): str(row.get(_CONTACT_OF) or "") for row in rows}
    return [_as_contact(result, contacts.get(result.remote_id, "")) for result in results]


def _as_contact(result: WriteResult, contact: str) -> WriteResult:
    if not result.is_success:
        return result
    if not contact:
        return WriteResult("", failures=(RowFailure(Category.INVALID_VALUE, _NO_PERSON),))
    return replace(result, remote_id=contact)
