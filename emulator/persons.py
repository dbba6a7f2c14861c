"""The hidden contact behind a person account."""

from typing import Any

from emulator.ids import full_id
from emulator.org import Org

_SAME = ("FirstName", "LastName", "Salutation", "Phone", "Fax", "OwnerId", "Description")


def create_person_contact(org: Org, account: dict[str, Any]) -> None:
    """The hidden contact of a new person account; inside a transaction."""
    contact = org.schema.objects["Contact"]
    contact_id = full_id(contact.prefix, org.pod, org.store.next_number(contact.prefix))
    row: dict[str, Any] = {f.name: f.default for f in contact.fields.values() if f.is_stored}
    stamps = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
    row |= {"Id": contact_id, "AccountId": account["Id"], "IsPersonAccount": "true"}
    row |= {name: account[name] for name in stamps} | _mirrored(account, row)
    org.store.insert("Contact", row)
    org.store.update("Account", account["Id"], {"PersonContactId": contact_id, "Name": row["Name"]})
    account["PersonContactId"] = contact_id


def follow_person_account(org: Org, account: dict[str, Any]) -> None:
    """Bring the hidden contact in line; inside a transaction."""
    contact = org.store.row("Contact", account["PersonContactId"])
    if contact is not None:
        stamps = ("LastModifiedDate", "LastModifiedById", "SystemModstamp")
        changed = {name: account[name] for name in stamps} | _mirrored(account, contact)
        org.store.update("Contact", contact["Id"], changed)


def _mirrored(account: dict[str, Any], contact: dict[str, Any]) -> dict[str, Any]:
    found = {name: account[name] for name in _SAME if name in account and name in contact}
    for name, value in account.items():
        plain = name.removeprefix("Person")
        if plain != name and plain in contact and plain not in {"ContactId"}:
            found[plain] = value
    found["Name"] = " ".join(str(part) for part in (account.get("FirstName"), account.get("LastName")) if part)
    return found
