"""Person accounts (B04): one human being is an Account with a hidden Contact. Read through the Contact, written through
the Account, whose fields of the person have other names (facts, section 7, "Person accounts")."""

from collections.abc import Collection, Mapping

_SAME = frozenset(
    {"FirstName", "LastName", "MiddleName", "Suffix", "Salutation", "Phone", "Fax", "OwnerId", "Description"}
)


def account_field(contact_field: str, account: Collection[str]) -> str:
    """The Account's field behind a Contact's; "" where the account has none."""
    if contact_field.endswith("__c"):
        named = f"{contact_field.removesuffix('__c')}__pc"
    else:
        named = contact_field if contact_field in _SAME else f"Person{contact_field}"
    return named if named in account else ""


def account_values(values: Mapping[str, str], account: Collection[str]) -> dict[str, str]:
    """Values of a Contact under the Account's names; what the account does not have is left out."""
    return {field: text for name, text in values.items() if (field := account_field(name, account))}


def reachable(values: Mapping[str, str], account: Collection[str]) -> dict[str, str]:
    """Those of a Contact's values that its Account can take, under the Contact's names."""
    return {name: text for name, text in values.items() if account_field(name, account)}
