"""The budget's rules over random days of calls (B14, INV-19)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.budget import (
    COUNTED_FOR,
    PROBE_EVERY,
    WINDOW,
    HourCalls,
    Level,
    Limit,
    OrgUse,
    Standing,
    Work,
    allowance_of,
    standing,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

hours = st.lists(
    st.builds(lambda ago, calls: HourCalls(NOW - ago * HOUR, calls), st.integers(0, 30), st.integers(0, 400)),
    max_size=31,
    unique_by=lambda h: h.hour,
)
shares = st.integers(1, 100)
orgs = st.builds(OrgUse, used=st.just(0), allowed=st.integers(1, 4000), seen_at=st.just(NOW))
moments = st.timedeltas(timedelta(0), timedelta(minutes=59)).map(lambda t: NOW + t)


def stand(calls: list[HourCalls], share: int = 50, org: OrgUse | None = None, now: datetime = NOW) -> Standing:
    return standing(calls, share_percent=share, org=org or OrgUse(0, 1000, NOW), now=now)


@given(
    share=shares,
    allowed=st.integers(10, 3000),
    chunks=st.lists(st.tuples(st.timedeltas(timedelta(0), 2 * HOUR), st.integers(1, 60)), max_size=150),
)
def test_own_calls_of_any_rolling_day_pass_the_share_by_one_chunk_at_most(
    share: int, allowed: int, chunks: list[tuple[timedelta, int]]
) -> None:
    made: list[tuple[datetime, int]] = []
    buckets: dict[datetime, int] = {}
    now = NOW
    org = OrgUse(0, allowed, NOW)
    for gap, calls in chunks:
        now += gap
        known = [HourCalls(hour, n) for hour, n in buckets.items()]
        if standing(known, share_percent=share, org=org, now=now).allows(Work.INTERACTIVE):
            made.append((now, calls))
            hour = now.replace(minute=0, second=0, microsecond=0)
            buckets[hour] = buckets.get(hour, 0) + calls
    allowance = allowance_of(allowed, share) or 0
    largest = max((calls for _, calls in chunks), default=0)
    for end, _ in made:
        assert sum(calls for at, calls in made if end - WINDOW < at <= end) < allowance + largest


@given(hours, shares, orgs, moments, st.integers(1, 500))
def test_more_calls_never_allow_more(calls: list[HourCalls], share: int, org: OrgUse, now: datetime, more: int) -> None:
    before = stand(calls, share, org, now)
    after = stand([*calls, HourCalls(NOW, more)], share, org, now)
    assert after.level >= before.level
    assert {work for work in Work if after.allows(work)} <= {work for work in Work if before.allows(work)}


@given(hours, shares, orgs, moments)
def test_larger_share_never_allows_less(calls: list[HourCalls], share: int, org: OrgUse, now: datetime) -> None:
    assert stand(calls, 100, org, now).level <= stand(calls, share, org, now).level


@given(hours, shares, orgs, moments, st.sampled_from(Work))
def test_work_is_allowed_from_the_moment_named_and_not_before(
    calls: list[HourCalls], share: int, org: OrgUse, now: datetime, work: Work
) -> None:
    at = stand(calls, share, org, now).resumes(work)
    if at is None:
        assert stand(calls, share, org, now).allows(work)
        return
    assert at > now
    assert stand(calls, share, org, at).allows(work)
    assert not stand(calls, share, org, at - timedelta(microseconds=1)).allows(work)


@given(hours, shares, orgs, moments)
def test_level_says_what_is_allowed(calls: list[HourCalls], share: int, org: OrgUse, now: datetime) -> None:
    found = stand(calls, share, org, now)
    allowed = {work for work in Work if found.allows(work)}
    assert (
        allowed
        == {
            Level.FREE: set(Work),
            Level.WARNED: set(Work),
            Level.ESSENTIAL_ONLY: {Work.INTERACTIVE, Work.ESSENTIAL},
            Level.PAUSED: set(),
        }[found.level]
    )


def test_levels_begin_at_80_95_and_100_percent_of_the_share() -> None:
    levels = {calls: stand([HourCalls(NOW, calls)]).level for calls in (399, 400, 474, 475, 499, 500)}
    assert list(levels.values()) == [
        Level.FREE, Level.WARNED, Level.WARNED, Level.ESSENTIAL_ONLY, Level.ESSENTIAL_ONLY, Level.PAUSED,
    ]  # fmt: skip


def test_hour_counts_until_its_last_call_has_left_the_window() -> None:
    old = [HourCalls(NOW - 24 * HOUR, 500)]
    assert stand(old, now=NOW + timedelta(minutes=59)).level is Level.PAUSED
    assert stand(old).resumes_at == NOW - 24 * HOUR + COUNTED_FOR
    assert stand(old, now=NOW + HOUR).level is Level.FREE


def test_pause_ends_with_the_hour_whose_leaving_brings_us_below_the_share() -> None:
    calls = [HourCalls(NOW - 20 * HOUR, 20), HourCalls(NOW - 10 * HOUR, 300), HourCalls(NOW, 190)]
    found = stand(calls)
    assert found.resumes_at == found.paused_until == NOW - 20 * HOUR + COUNTED_FOR
    assert found.resumes(Work.BACKFILL) == NOW - 10 * HOUR + COUNTED_FOR


def test_unknown_allowance_limits_nothing() -> None:
    found = stand([HourCalls(NOW, 10_000)], org=OrgUse())
    assert (found.level, found.allowance, found.percent) == (Level.FREE, None, 0)


def test_org_without_calls_is_asked_again_after_fifteen_minutes() -> None:
    full = OrgUse(1000, 1000, NOW)
    found = stand([], org=full)
    assert (found.level, found.limit, found.resumes_at) == (Level.PAUSED, Limit.ORG, NOW + PROBE_EVERY)
    assert stand([], org=full, now=NOW + PROBE_EVERY).level is Level.FREE


def test_org_that_refused_is_left_alone_until_a_probe_succeeds() -> None:
    refusing = OrgUse(10, 1000, NOW, is_refusing=True, next_probe_at=NOW - HOUR)
    found = stand([], org=refusing)
    assert (found.level, found.limit, found.resumes_at) == (Level.PAUSED, Limit.ORG, NOW)
    assert not found.allows(Work.INTERACTIVE)


def test_later_of_both_limits_is_named() -> None:
    calls = [HourCalls(NOW - 2 * HOUR, 600)]
    found = stand(calls, org=OrgUse(1000, 1000, NOW))
    assert (found.limit, found.resumes_at) == (Limit.SHARE, NOW - 2 * HOUR + COUNTED_FOR)
