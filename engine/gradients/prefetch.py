"""Prefetch: the next thing is fetched while the one before is worked on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Thing = TypeVar("Thing")


def prefetched(
    items: Iterable[Item], fetch: Callable[[Item], Thing]
) -> Iterator[tuple[Item, Thing]]:
    """Each item with what `fetch` gives for it, one of them in advance.

    Fetching happens in order, in one other thread; what it raises is raised here when
    its turn has come. Two things are held at the same time.
    """
    with ThreadPoolExecutor(1) as thread:
        waiting = None
        for item in items:
            coming = item, thread.submit(fetch, item)
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = coming
        if waiting is not None:
            yield waiting[0], waiting[1].result()
