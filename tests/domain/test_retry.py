"""Every category has its plan: when it is tried again, or that it is blocked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.failures import Category
from apps.domain.retry import LONGEST, next_attempt

C = Category
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOON, LATER, AT_THE_PROBE, BLOCKED = timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=15), None

PLANS: dict[C, timedelta | None] = {
    C.INVALID_GRANT: BLOCKED,
    C.APP_NOT_INSTALLED: BLOCKED,
    C.ACCESS_DENIED: BLOCKED,
    C.API_DISABLED: BLOCKED,
    C.INSUFFICIENT_ACCESS: BLOCKED,
    C.REQUEST_LIMIT: AT_THE_PROBE,
    C.CONCURRENT_LIMIT: LATER,
    C.UNAVAILABLE: LATER,
    C.MAINTENANCE: AT_THE_PROBE,
    C.UNTRUSTED_HOST: BLOCKED,
    C.SESSION_EXPIRED: LATER,
    C.REQUIRED_FIELD_MISSING: BLOCKED,
    C.RESTRICTED_PICKLIST: BLOCKED,
    C.TOO_LONG: BLOCKED,
    C.INVALID_EMAIL: BLOCKED,
    C.INVALID_VALUE: BLOCKED,
    C.DUPLICATE_DETECTED: BLOCKED,
    C.DUPLICATE_VALUE: BLOCKED,
    C.ROW_LOCKED: SOON,
    C.VALIDATION_RULE: BLOCKED,
    C.CONVERTED_LEAD: BLOCKED,
    C.RECORD_DELETED: BLOCKED,
    C.BAD_REFERENCE: BLOCKED,
    C.FIELD_GONE: BLOCKED,
    C.OBJECT_GONE: BLOCKED,
    C.OWNER_INACTIVE: BLOCKED,
    C.STORAGE_LIMIT: AT_THE_PROBE,
    C.RECORD_LOCKED: BLOCKED,
    C.QUERY_TOO_SLOW: LATER,
    C.MALFORMED_QUERY: BLOCKED,
    C.CURSOR_EXPIRED: SOON,
    C.JOB_GONE: SOON,
    C.JOB_FAILED: SOON,
    C.BULK_UNSUPPORTED: BLOCKED,
    C.AMBIGUOUS_MATCH: BLOCKED,
    C.IDENTITY_TAKEN: BLOCKED,
    C.UNREADABLE_VALUE: BLOCKED,
    C.MISSING_PARENT: LATER,
    C.ROWS_OUT_OF_SIGHT: BLOCKED,
    C.CHANGED_BACK: BLOCKED,
    C.OPT_OUT_UNTICKED: BLOCKED,
    C.CONFIGURATION: BLOCKED,
    C.INTERNAL: LATER,
}
PASSING = [category for category, wait in PLANS.items() if wait is not None]


def test_every_category_has_a_plan() -> None:
    assert set(PLANS) == set(C)


@pytest.mark.parametrize("category", C)
def test_first_attempt_comes_within_its_wait_or_never(category: C) -> None:
    wait = PLANS[category]
    at = next_attempt(category, 1, now=NOW, jitter=0.999)
    if wait is None:
        assert at is None
    else:
        assert at is not None
        assert NOW + wait / 2 < at <= NOW + wait + timedelta(seconds=1)


@pytest.mark.parametrize("category", PASSING)
def test_longest_wait_doubles_up_to_an_hour(category: C) -> None:
    waits = [next_attempt(category, attempts, now=NOW, jitter=0.999_999) for attempts in range(1, 40)]
    lengths = [at - NOW for at in waits if at is not None]
    assert lengths == sorted(lengths)
    assert LONGEST - timedelta(seconds=2) <= lengths[-1] <= LONGEST


@pytest.mark.parametrize("category", [c for c in PASSING if PLANS[c] is not AT_THE_PROBE])
def test_jitter_spreads_over_the_whole_wait(category: C) -> None:
    early, late = (next_attempt(category, 6, now=NOW, jitter=j) for j in (0.0, 0.999))
    assert early == NOW + timedelta(seconds=1)
    assert late is not None
    assert late - NOW > timedelta(minutes=2)


@pytest.mark.parametrize("category", [c for c in PASSING if PLANS[c] is AT_THE_PROBE])
def test_limit_is_not_tried_before_the_org_is_asked(category: C) -> None:
    at = next_attempt(category, 1, now=NOW, jitter=0.0)
    assert at is not None
    assert at >= NOW + AT_THE_PROBE


@given(st.sampled_from(PASSING), st.integers(0, 10_000), st.floats(0, 0.999), st.floats(0, 7200))
def test_wait_that_salesforce_asked_for_is_kept(category: C, attempts: int, jitter: float, asked: float) -> None:
    at = next_attempt(category, attempts, now=NOW, retry_after=asked, jitter=jitter)
    assert at is not None
    assert at >= NOW + timedelta(seconds=asked)
    assert at - NOW <= max(LONGEST, timedelta(seconds=asked))


def test_request_limit_waits_for_the_moment_at_which_calls_are_back() -> None:
    resumes_at = NOW + timedelta(hours=3)
    assert next_attempt(C.REQUEST_LIMIT, 1, now=NOW, resumes_at=resumes_at, jitter=0.5) == resumes_at
