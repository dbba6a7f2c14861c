"""Members in front of the pages of rules, with the emulator as Salesforce."""

from tests.console.salesforce.conftest import (
    _plain_static_files,
    connection,
    emulator,
    emulator_process,
    member,
    org,
    owner,
    user,
)
from tests.sync.conftest import world

__all__ = [
    "_plain_static_files",
    "connection",
    "emulator",
    "emulator_process",
    "member",
    "org",
    "owner",
    "user",
    "world",
]
