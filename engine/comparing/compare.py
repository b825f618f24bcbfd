"""Comparing methods: fills the cells of a comparison, one run after the other."""

from collections.abc import Callable
from pathlib import Path

from engine.comparing.cells import (
    Cell,
    CellFinished,
    CellStarted,
    ComparisonEnded,
    ComparisonStarted,
    seconds_left,
)
from engine.comparing.comparison import Comparison
from engine.comparing.ledger import Ledger
from engine.errors import EngineError
from engine.events import Event, RunStopped
from engine.fits import Fits
from engine.known import Known
from engine.loading import load_network
from engine.monitor import Control, Monitor
from engine.run import run


def compare(
    spec: Comparison,
    folder: str | Path,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> ComparisonEnded:
    """Fill every cell that is not done; what failed before is tried again.

    Args:
        spec: Methods, sparsities and seeds.
        folder: New, empty, or where the same comparison was begun.
        emit: Receives the comparison's events and, between them, those of its runs.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The last event.

    Raises:
        InputError: Nothing can be compared so; nothing was left behind.
        RunError: The results cannot be written. A cell that fails is no error.
    """
    control = control or Control()
    monitor = Monitor(emit, control)
    ledger = Ledger(spec, folder)
    waiting = [number for number, cell in enumerate(ledger.cells) if not cell.done]
    if waiting:  # a network that cannot be loaded is no matter of one cell
        load_network(spec.recipe, Monitor(), trust)
    with ledger:
        methods = tuple(spec.methods)
        monitor.emit(
            ComparisonStarted(
                str(ledger.folder), methods, spec.sparsities, spec.seeds,
                tuple(ledger.cells),
            )
        )  # fmt: skip
        stopped, fits = False, Fits()
        known = Known(fits)
        for number in waiting:
            stopped = not _fill(ledger, number, monitor, emit, trust, known, fits)
            if stopped:
                break
        return monitor.emit(_ended(ledger.cells, stopped))


def _fill(
    ledger: Ledger,
    number: int,
    monitor: Monitor,
    emit: Callable[[Event], None],
    trust: frozenset[str],
    known: Known,
    fits: Fits,
) -> bool:
    """Run one cell; False when a stop came before its end."""
    cell, total = ledger.cells[number], len(ledger.cells)
    left = seconds_left(ledger.cells)
    monitor.emit(CellStarted(number + 1, total, cell, left))
    path, error = ledger.clear(cell), ""
    recipe = ledger.spec.recipe_of(cell)
    fits.serve((cell.method, cell.seed))
    try:
        last = run(recipe, path, emit, monitor.control, trust, known=known)
        if isinstance(last, RunStopped):
            return False
    except EngineError as failure:
        error = f"{failure.message} {failure.hint}"
    cell = ledger.fill(number, error)
    left = seconds_left(ledger.cells)
    monitor.emit(CellFinished(number + 1, total, cell, left))
    return True


def _ended(cells: list[Cell], stopped: bool) -> ComparisonEnded:
    done = sum(cell.done for cell in cells)
    failed = sum(bool(cell.error) for cell in cells)
    return ComparisonEnded(done, failed, len(cells), stopped)
