"""A call that fails as a whole because of one record: the others are written without it."""

from collections.abc import Callable, Sequence

from apps.domain.failures import Category, Failure, Internal, RowFailure, Transient
from apps.domain.ports import WriteOperation
from apps.sync.models import WriteIntent
from apps.sync.push.claims import CAREFUL_AFTER
from apps.sync.push.failing import refuse
from apps.sync.push.round import Round
from apps.tenants.scope import tenant_transaction

Write = Callable[[Round, Sequence[WriteIntent]], None]


def write_each(work: Round, intents: Sequence[WriteIntent], write: Write) -> None:
    """Write intents together. Where the call fails for no reason that concerns all, one at either end is tried alone:
    if one of them goes well it is no outage, and the rest is halved until the record that fails is by itself.

    Updates and upserts only, since they do no harm when they were done and only the answer is missing.
    """
    try:
        write(work, intents)
    except (Transient, Internal) as failure:
        is_safe = intents[0].operation != WriteOperation.CREATE
        is_odd = isinstance(failure, Internal) or failure.category is Category.UNAVAILABLE
        if not (is_safe and is_odd):
            raise
        if all(work.claims[intent.local_id].attempts > 1 for intent in intents):
            work.gateway.limits()  # raises in an outage; else these have failed before while others went through
            _halve(work, intents, write)
        elif len(intents) > 1:
            _halve(work, _without_probe(work, intents, write), write)
        else:
            raise


def _without_probe(work: Round, intents: Sequence[WriteIntent], write: Write) -> Sequence[WriteIntent]:
    try:
        write(work, intents[-1:])
    except (Transient, Internal):
        write(work, intents[:1])
        return intents[1:]
    return intents[:-1]


def _halve(work: Round, intents: Sequence[WriteIntent], write: Write) -> None:
    try:
        write(work, intents)
    except (Transient, Internal) as failure:
        if len(intents) == 1:
            _set_aside(work, intents[0], failure)
            return
        half = len(intents) // 2
        _halve(work, intents[:half], write)
        _halve(work, intents[half:], write)


def _set_aside(work: Round, intent: WriteIntent, failure: Failure) -> None:
    """Others go through and this one does not: it is tried again later, and held after the third time."""
    claim = work.claims[intent.local_id]
    words = f"Salesforce cannot take this record: {failure.message}"
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        refuse(
            work,
            claim,
            [RowFailure(Category.UNAVAILABLE, words, raw=failure.raw)],
            sobject=intent.sobject,
            remote_id=intent.remote_id,
            is_final=claim.attempts >= CAREFUL_AFTER,
        )
