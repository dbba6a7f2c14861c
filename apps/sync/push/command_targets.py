"""Whom commands are about: the lead or contact of each person, and the account of their company. Looked for by link,
then by what an earlier command made, then in Salesforce by external id and by e-mail, before anything is made (E09)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from apps.domain.actions import ActionKind
from apps.domain.commands import Row, remote_values
from apps.domain.failures import Failure
from apps.domain.rows import EXTERNAL_ID, PERSON_ACCOUNT
from apps.integrations.soql import find_text
from apps.sync.linked import links_of
from apps.sync.push.command_work import CommandWork
from apps.sync_actions.models import CommandState, CrmAction
from apps.tenants.scope import tenant_transaction

_PEOPLE = ("Contact", "Lead")
_PART = 100
_ALWAYS = ("Id", "OwnerId", "IsConverted", "ConvertedContactId", "AccountId", "Email", "CreatedDate", PERSON_ACCOUNT)
_WITH_ACCOUNT = (ActionKind.CRM_PERSON, ActionKind.CRM_ACCOUNT, ActionKind.CRM_OPPORTUNITY)

Named = Mapping[int, tuple[str, str]]
"""(sObject, id) by person."""


def find_targets(work: CommandWork) -> None:
    """Fill in the rows and accounts of the round."""
    named = dict(_linked(work))
    named |= {person: row for person, row in _made(work).items() if person not in named}
    _read(work, named)
    _search(work, set(work.people) - work.rows.keys() - work.gone.keys())
    _follow_conversions(work)
    _find_accounts(work)


def _linked(work: CommandWork) -> Named:
    with tenant_transaction(work.hold.tenant_id):
        found = links_of(work.connection.pk, "person", work.people.keys())
    links = [link for link in found if link.is_live and link.sobject in _PEOPLE and link.person_id is not None]
    links.sort(key=lambda link: (link.is_leading, link.sobject, link.remote_id))
    return {link.person_id: (link.sobject, link.remote_id) for link in links if link.person_id is not None}


def _made(work: CommandWork) -> Named:
    """What earlier commands made and no sync has brought back yet."""
    with tenant_transaction(work.hold.tenant_id):
        rows = CrmAction.objects.filter(
            person_id__in=list(work.people), action=ActionKind.CRM_PERSON, state=CommandState.DONE, sobject__in=_PEOPLE
        ).exclude(result_id="")
        found = rows.order_by("id").values_list("person_id", "sobject", "result_id")
        return {person: (sobject, remote_id) for person, sobject, remote_id in found}


def _fields(work: CommandWork, sobject: str) -> list[str]:
    """What is read of a row: what every command looks at, and what some of them change."""
    wanted: list[str] = list(_ALWAYS)
    for command in work.of_kind(ActionKind.CRM_PERSON):
        wanted += remote_values(command.values.get("values", ""))
    wanted += [str(command.values.get("field")) for command in work.of_kind(ActionKind.CRM_SET_FIELD)]
    return work.shown(sobject, *wanted)


def _read(work: CommandWork, named: Named) -> None:
    for sobject in _PEOPLE:
        ids = {remote_id: person for person, (of, remote_id) in named.items() if of == sobject}
        if not ids or work.schema(sobject) is None:
            continue
        found = work.gateway.read(sobject, list(ids), _fields(work, sobject))
        for remote_id, person in ids.items():
            row = Row(sobject, remote_id, found.get(remote_id, {}))
            (work.rows if remote_id in found else work.gone)[person] = row


def _search(work: CommandWork, people: Collection[int]) -> None:
    """Look in Salesforce for people without a known row: contacts before leads, the oldest first."""
    if not people:
        return
    asked: list[tuple[str, str, dict[str, int]]] = []
    for sobject in _PEOPLE:
        if work.schema(sobject) is None:
            continue
        by_key = {f"{work.prefix}-{person}": person for person in people}
        by_email = {work.people[person].email.lower(): person for person in people if work.people[person].email}
        if work.shown(sobject, EXTERNAL_ID):
            asked.append((sobject, EXTERNAL_ID, by_key))
        asked.append((sobject, "Email", by_email))
    hits: dict[int, list[Row]] = defaultdict(list)
    for sobject, name, wanted in asked:
        for raw in _ask(work, sobject, [*_fields(work, sobject), name], name, wanted):
            person = wanted.get(str(raw.get(name) or "").strip().lower())
            if person is not None:
                hits[person].append(Row(sobject, str(raw["Id"]), raw))
    for person, rows in hits.items():
        work.rows[person] = min(rows, key=_rank)


def _rank(row: Row) -> tuple[bool, bool, str, str]:
    return row.is_converted, row.sobject != "Contact", str(row.values.get("CreatedDate") or ""), row.remote_id


def _ask(
    work: CommandWork, sobject: str, fields: Iterable[str], name: str, wanted: Collection[str]
) -> list[dict[str, Any]]:
    shown, texts = work.shown(sobject, *fields), list(wanted)
    queries = [find_text(sobject, shown, name, texts[i : i + _PART]) for i in range(0, len(texts), _PART)]
    rows: list[dict[str, Any]] = []
    for answer in work.gateway.query_many(queries) if queries else ():
        if isinstance(answer, Failure):
            raise answer
        rows += answer
    return rows


def _follow_conversions(work: CommandWork) -> None:
    """A lead that was converted is its contact now."""
    named = {
        person: ("Contact", str(row.values.get("ConvertedContactId")))
        for person, row in work.rows.items()
        if row.is_converted and row.values.get("ConvertedContactId")
    }
    gone = dict(work.gone)
    _read(work, named)
    work.gone = gone  # a contact out of sight leaves the lead, which says what is the matter


# -- accounts -------------------------------------------------------------------------------------------------


def _find_accounts(work: CommandWork) -> None:
    people = {command.person_id for command in work.of_kind(*_WITH_ACCOUNT) if command.person_id in work.people}
    if not people or work.schema("Account") is None:
        return
    for person in people:
        company = work.people[person].company
        row = work.rows.get(person)
        of_contact = str(row.values.get("AccountId") or "") if row is not None else ""
        linked = company.leading_remote_id if company is not None and company.leading_sobject == "Account" else ""
        if of_contact or linked:
            work.accounts[person] = of_contact or linked
    work.accounts |= {p: one for p, one in _made_accounts(work, people).items() if p not in work.accounts}
    _search_accounts(work, people - work.accounts.keys())


def _made_accounts(work: CommandWork, people: Collection[int]) -> dict[int, str]:
    with tenant_transaction(work.hold.tenant_id):
        rows = CrmAction.objects.filter(
            person_id__in=list(people), action=ActionKind.CRM_ACCOUNT, state=CommandState.DONE
        ).exclude(result_id="")
        return dict(rows.order_by("id").values_list("person_id", "result_id"))


def _search_accounts(work: CommandWork, people: Collection[int]) -> None:
    """By external id, then by website, then by name; several of one name are nobody's."""
    for name, wanted in _account_keys(work, people):
        left: dict[str, list[int]] = {}
        for text, several in wanted.items():
            missing = [person for person in several if person not in work.accounts | work.many_accounts]
            if missing:
                left[text] = missing
        if not left or not work.shown("Account", name):
            continue
        hits: dict[str, list[str]] = defaultdict(list)
        for raw in _ask(work, "Account", ["Id", name], name, left):
            hits[str(raw.get(name) or "").strip().lower()].append(str(raw["Id"]))
        for text, ids in hits.items():
            for person in left.get(text, ()):
                if len(ids) == 1:
                    work.accounts[person] = ids[0]
                else:
                    work.many_accounts[person] = ids


def _account_keys(work: CommandWork, people: Collection[int]) -> list[tuple[str, dict[str, list[int]]]]:
    keys: dict[str, dict[str, list[int]]] = {EXTERNAL_ID: {}, "Website": {}, "Name": {}}
    for person_id in people:
        person = work.people[person_id]
        company = person.company
        texts = {
            EXTERNAL_ID: f"{work.prefix}-{company.pk}" if company is not None else "",
            "Website": company.website if company is not None else "",
            "Name": company.name if company is not None else person.company_name,
        }
        for name, text in texts.items():
            if text.strip():
                keys[name].setdefault(text.strip().lower(), []).append(person_id)
    return list(keys.items())
