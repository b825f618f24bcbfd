"""One thing in advance, in order, and errors when their turn has come."""

import threading

import pytest

from engine.gradients.prefetch import prefetched


def test_things_come_in_order_and_are_fetched_by_another_thread():
    threads = set()

    def fetch(item):
        threads.add(threading.get_ident())
        return item * item

    assert list(prefetched(range(5), fetch)) == [(n, n * n) for n in range(5)]
    assert len(threads) == 1 and threading.get_ident() not in threads
    assert list(prefetched((), fetch)) == []


def test_one_thing_is_fetched_while_another_is_worked_on():
    begun = [threading.Event() for _ in range(3)]

    def fetch(item):
        begun[item].set()
        return item

    found = prefetched(range(3), fetch)
    next(found)
    assert begun[1].wait(5)  # nobody asked for it yet
    assert not begun[2].is_set()
    found.close()


def test_an_error_waits_for_its_turn():
    def fetch(item):
        if item == 1:
            raise ValueError("broken")
        return item

    found = prefetched(range(3), fetch)
    assert next(found) == (0, 0)
    with pytest.raises(ValueError, match="broken"):
        next(found)
