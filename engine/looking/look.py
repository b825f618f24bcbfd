"""Look: work on a recipe's network that changes nothing and writes nothing."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from engine import machine
from engine.errors import Stopped
from engine.events import Event
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.steering.events import LookEnded, LookStarted
from engine.steering.study import Study

Answer = TypeVar("Answer")


def look(
    title: str,
    recipe: Recipe,
    work: Callable[[Monitor], tuple[Answer, str]],
    emit: Callable[[Event], None],
    control: Control | None,
    watch: Callable[[Study], None] | None = None,
) -> Answer | None:
    """Do such work in one process, and tell its beginning and its end.

    Args:
        title: What is done, such as "Scoring".
        recipe: Names the device and the threads.
        work: Gives the answer and a sentence that says how it went.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        watch: Receives the `Study` of a scoring, whose memory is planned then.

    Returns:
        The answer, or None when it was stopped.

    Raises:
        EngineError: The recipe cannot run; after `LookEnded`.
    """
    device = machine.pick_device(recipe.machine)
    monitor = Monitor(emit, control, partial(machine.memory_used, device), watch)
    told = f"{title} failed."
    with machine.threads(recipe.machine):
        monitor.emit(LookStarted(title, machine.describe(device)))
        try:
            answer, told = work(monitor)
            return answer
        except Stopped:
            told = f"{title} was stopped before its end."
            return None
        finally:
            monitor.emit(LookEnded(told))
