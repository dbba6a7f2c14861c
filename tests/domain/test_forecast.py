"""What each frequency costs (B11)."""

import pytest

from apps.domain.forecast import RecentUse, forecasts, polling_calls


@pytest.mark.parametrize(
    ("frequency", "sobjects", "calls"),
    [(5, 5, 288), (5, 6, 576), (15, 7, 192), (30, 1, 48), (60, 10, 48), (360, 5, 4), (720, 5, 2), (1440, 11, 3)],
)
def test_idle_sync_costs_a_call_for_five_objects(frequency: int, sobjects: int, calls: int) -> None:
    assert polling_calls(frequency, sobjects) == calls


def test_manual_only_polls_nothing_but_pushes_go_on() -> None:
    (only,) = forecasts([0], sobjects=7, recent=RecentUse(days=2, outbound=100, other=20), allowance=1000)
    assert (only.polling, only.other, only.calls, only.percent_of_share) == (0, 60, 60, 6)


def test_rarer_syncs_never_cost_more() -> None:
    found = forecasts([5, 15, 30, 60, 360, 720, 1440, 0], sobjects=9, recent=RecentUse(1, outbound=7), allowance=15_000)
    assert [f.calls for f in found] == sorted((f.calls for f in found), reverse=True)


def test_share_is_told_rounded_up_and_not_where_the_allowance_is_unknown() -> None:
    known, unknown = (
        forecasts([60], sobjects=5, recent=RecentUse(1), allowance=a)[0].percent_of_share for a in (5000, None)
    )
    assert (known, unknown) == (1, None)
