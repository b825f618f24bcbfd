"""Vanishing: which layers and channels are about to disappear, or have."""

from collections.abc import Mapping, Sequence

from app.steering.steering import Steering
from app.tables.layer_rows import channels
from app.tables.units import many, short
from engine.facts import LayerInfo, LayerState

NAMED = 2  # layers that a sentence names


def foretold(steering: Steering, infos: Sequence[LayerInfo]) -> dict[str, str]:
    """A warning for each layer of which the next prune would leave next to nothing."""
    found, bare = {}, set(steering.emptied)
    for info in infos:
        if not steering.is_scored(info.name):
            continue
        now, then = steering.empty(info.name)
        rows = info.shape[0]
        told = [f"{then} of {rows} {channels(info)} would be empty"] * (then > now)
        told += ["only its best weights would stay"] * (info.name in bare)
        if told:
            found[info.name] = ", ".join(told)
    return found


def measured(
    states: Sequence[LayerState], infos: Mapping[str, LayerInfo]
) -> dict[str, str]:
    """A warning for each layer of which a prune has left next to nothing."""
    found = {}
    for state in states:
        info = infos.get(state.name)
        if info is None:
            continue
        left, empty = state.weights - state.zeros, state.empty or 0
        told = [f"{empty} of {info.shape[0]} {channels(info)} are empty"] * (empty > 0)
        told += [f"{many(left, 'weight')} left"] * (left <= 1)
        if told:
            found[state.name] = ", ".join(told)
    return found


def sentence(warnings: Mapping[str, str]) -> str:
    """The warnings in one line, the first layers by name."""
    if not warnings:
        return ""
    told = [f"{short(name)}: {warnings[name]}" for name in list(warnings)[:NAMED]]
    more = len(warnings) - NAMED
    told += [f"and {many(more, 'layer')} more"] * (more > 0)
    return f"{'; '.join(told)}."


def alarm_of(names: tuple[str, ...]) -> str:
    """What is about to disappear, in a sentence."""
    if not names:
        return ""
    first = ", ".join(short(name) for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    best = "the best of each" if len(names) > 1 else "its best"
    return f"Next to nothing stays of {first}{more}: only {best} is kept."
