"""A stub of an org and a gateway to it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.session import CallRecord
from tests.salesforce.stub import Stub, running_stub

TOKEN = "00D000000000001!AQ0AQ.first-secret"


@dataclass
class Tokens:
    """A token source in memory that renews once per stale token, as the stored one does."""

    current: str = TOKEN
    renewals: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def access_token(self) -> str:
        return self.current

    def renew(self, stale: str) -> str:
        with self.lock:
            if self.current == stale:
                self.renewals += 1
                self.current = f"{TOKEN}.{self.renewals}"
            return self.current


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that says what the test wants."""
    with running_stub() as running:
        yield running


@pytest.fixture
def tokens() -> Tokens:
    """Tokens of the connection under test."""
    return Tokens()


@pytest.fixture
def ledger() -> list[CallRecord]:
    """Every call that the session reported."""
    return []


@pytest.fixture
def gateway(stub: Stub, tokens: Tokens, ledger: list[CallRecord]) -> Iterator[SalesforceGateway]:
    """A gateway to the stub."""
    made = gateway_to(stub, tokens, ledger)
    yield made
    made.close()


def gateway_to(stub: Stub, tokens: Tokens, ledger: list[CallRecord] | None = None) -> SalesforceGateway:
    """A gateway of its own, as each task has one."""
    return SalesforceGateway(
        instance_url=stub.url,
        api_version="66.0",
        tokens=tokens,
        trusted_hosts=(stub.url.removeprefix("http://"),),
        on_call=(ledger if ledger is not None else []).append,
    )
