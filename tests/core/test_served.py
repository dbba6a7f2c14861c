"""Work in bulk leaves room for others on a machine of few processors."""

import os
import threading
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from apps.core import served as module
from apps.core.served import FEW, KEYS, REST, giving_way, is_to_give_way, note_served

A, B, C = 1, 2, 3


@pytest.fixture(autouse=True)
def nobody_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small machine on which nobody was served lately."""
    cache.delete_many(KEYS)
    monkeypatch.setattr(os, "cpu_count", lambda: FEW)


@pytest.mark.parametrize(
    ("served", "gives_way"),
    [
        ([], False),
        ([A], False),
        ([A, A], False),
        ([B], True),
        ([A, B], True),
        ([B, A], True),
        ([B, A, A], True),
        ([B, C, A, A], True),
    ],
)
def test_bulk_work_gives_way_to_any_other_tenant(served: list[int], gives_way: bool) -> None:
    for tenant_id in served:
        note_served(tenant_id)
    assert is_to_give_way(A) is gives_way


def test_a_machine_of_many_processors_has_room_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    note_served(B)
    monkeypatch.setattr(os, "cpu_count", lambda: FEW + 1)
    assert not is_to_give_way(A)


@pytest.mark.parametrize(("served", "rests"), [(A, []), (B, [3.0 * REST])])
def test_a_piece_of_bulk_work_is_followed_by_a_rest(
    served: int, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 13.0])
    rested: list[float] = []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=rested.append))
    note_served(served)
    with giving_way(A):
        pass
    assert rested == rests


@pytest.mark.parametrize(("served", "together"), [(A, True), (B, False)])
def test_pieces_of_one_process_take_turns_only_where_others_are_served(served: int, together: bool) -> None:
    note_served(served)
    got_in = threading.Event()

    def piece() -> None:
        with giving_way(A):
            got_in.set()

    with giving_way(A):
        second = threading.Thread(target=piece)
        second.start()
        assert got_in.wait(10 if together else 0.2) is together
    second.join(10)
    assert got_in.is_set()
