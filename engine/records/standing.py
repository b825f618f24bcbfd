"""Where a run stands: the network it has to give, and the moment that is of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from engine import masks
from engine.errors import InputError
from engine.events import LevelsPlanned, Pruned, RunFailed, RunStopped
from engine.records import contents
from engine.words.units import percent

VERBS = {RunStopped: "stopped at", RunFailed: "failed after"}


@dataclass(frozen=True)
class Standing:
    """A network by tensor; `moment` is one sentence, empty where the run is done."""

    weights: dict[str, Tensor]
    moment: str = ""


def standing(folder: str | Path) -> Standing:
    """The result of a run, or its newest state.

    Raises:
        InputError: There is nothing pruned yet, or it cannot be read.
    """
    weights = contents.result_of(folder)
    if weights is not None:
        return Standing(weights)
    state = contents.newest_state(folder)
    if state is None and (Path(folder) / "summary.json").exists():
        raise InputError(
            f"The network of {folder} was not kept.",
            "Run its recipe.json again, or let the comparison keep the networks.",
        )
    if state is None or not state["predictions"]:
        raise InputError(
            f"The run in {folder} has not pruned anything yet.",
            "Resume the run and let it prune once, then export.",
        )
    return Standing(state["model"], _moment(folder, state))


def _moment(folder: str | Path, state: dict[str, Any]) -> str:
    """Such as "The run stopped at prune 3 of 8; this is the network at 42.0 %..."."""
    events = list(contents.replay(folder))
    steps = next((e.steps for e in reversed(events) if isinstance(e, Pruned)), None)
    verb = VERBS.get(type(events[-1]) if events else None, "has come to")
    place = f"prune {len(state['predictions'])}"
    place += f" of {steps}" if steps else ""
    if state["finetuner"]["epoch"]:
        plans = (e for e in reversed(events) if isinstance(e, LevelsPlanned))
        epochs = next(plans).total_epochs  # the recipe may have been amended
        place += f" and epoch {state['finetuner']['epoch']} of {epochs}"
    reached = percent(masks.sparsity(state["masks"]))
    return f"The run {verb} {place}; this is the network at {reached} sparsity."
