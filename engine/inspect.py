"""Looking at a recipe's network and data without running anything."""

from collections.abc import Callable

from engine import machine
from engine.errors import InputError
from engine.events import Event
from engine.loading import check_bounds, load_network
from engine.monitor import Monitor
from engine.recipe import Recipe


def inspect(
    recipe: Recipe,
    emit: Callable[[Event], None] = lambda event: None,
    trust: frozenset[str] = frozenset(),
) -> None:
    """Build the network and tell its layers (`ModelLoaded`) and how keys matched.

    Raises:
        InputError: Network, checkpoint or data cannot be used; `TrustNeeded` when a
            Python file would have to be executed.
    """
    machine.pick_device(recipe.machine)
    monitor = Monitor(emit)
    _, layers = load_network(recipe, monitor, trust)
    try:
        check_bounds(recipe, layers)
    except InputError as error:  # the layers can be looked at all the same
        monitor.notice(error.message, error.hint)
