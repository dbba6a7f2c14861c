"""Random requests by the document: no failure of ours, answers as the document says, nothing of another account.

``python3 -m bench.api_fuzz`` makes ten thousand with a key, and ten thousand without.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from apps.api.schema import document
from apps.integrations.models import Connection
from apps.tenants.models import Tenant
from tests.api.conftest import new_key
from tests.api.fuzz_world import NEVER, two_accounts
from tests.api.fuzzing import Fuzzer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WITH_KEY, WITHOUT_KEY = 60, 10
_SEED = 20
LABELS = sorted(Fuzzer(None, document(), "", {}, ()).operations())


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The application stays on the connection, and in the transaction, of the test."""
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    yield
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@pytest.mark.parametrize("label", LABELS)
def test_whatever_is_sent_the_answer_is_what_the_document_says(
    label: str, tenant: Tenant, other_tenant: Tenant, connected: Connection
) -> None:
    ids = two_accounts(tenant, other_tenant, connected)
    application: Any = get_wsgi_application()
    for secret, examples in ((new_key(tenant), WITH_KEY), ("", WITHOUT_KEY)):
        fuzzer = Fuzzer(application, document(), secret, ids, NEVER)
        tally = fuzzer.play(fuzzer.operations()[label], examples, _SEED)
        assert not tally.complaints, "\n".join(tally.complaints[:5])
        assert tally.cases >= 1
