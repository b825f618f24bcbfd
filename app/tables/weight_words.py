"""Weight words: where a weight is, how much it matters and who takes over."""

import numpy as np

from app.plots.weight_grid import Cells
from app.tables.units import PREDICTED, exact, many, number, percent, short, signed
from engine.looking.layer_weights import LayerWeights, Saliency, SingleRemoval
from engine.part import title_of
from engine.recipe import Recipe

Names = tuple[str, str]  # of the first two dimensions
USUAL: Names = ("output", "input")
OTHERS: dict[str, Names] = {
    "Embedding": ("entry", "feature"),
    "ConvTranspose1d": ("input", "output"),
    "ConvTranspose2d": ("input", "output"),
    "ConvTranspose3d": ("input", "output"),
}
STATES = ("stays", "would go", "is gone")


def dimensions(kind: str) -> Names:
    """What the first two dimensions of a layer of this kind count."""
    return OTHERS.get(kind, USUAL)


def place(shape: tuple[int, ...], position: int, names: Names) -> str:
    """`output 3, input 4, kernel 1, 2`."""
    first, second, *kernel = np.unravel_index(position, shape)
    words = f"{names[0]} {first}, {names[1]} {second}"
    if kernel:
        words += ", kernel " + ", ".join(map(str, kernel))
    return words


def told(layer: LayerWeights, position: int, names: Names) -> str:
    """Where a weight is, its value, and what becomes of it."""
    value = float(layer.values.reshape(-1)[position])
    gone, going = (bool(x.reshape(-1)[position]) for x in (layer.gone, layer.going))
    state = STATES[2 if gone else 1 if going else 0]
    where = place(layer.values.shape, position, names)
    return f"{where}: weight {number(value)}, {state}"


def matters(saliency: Saliency | None) -> str:
    """The saliency of a weight and its ranks; rank 1 goes first."""
    if saliency is None:
        return ""
    words = (
        f"Saliency {number(saliency.value)}, rank {exact(saliency.rank)} of "
        f"{exact(saliency.among)} in its layer"
    )
    if saliency.overall is not None:
        words += f", {exact(saliency.overall)} of {exact(saliency.of)} overall"
    return words + "."


def removal(answer: SingleRemoval) -> str:
    """What comes of removing a weight alone; nothing of it is measured."""
    if not answer.movers:
        return "No survivor would move."
    ten = many(len(answer.movers), "survivor")
    words = f"The {ten} below would take {percent(answer.share)} of all moves."
    if answer.loss is None:
        return words
    return (
        f"{PREDICTED} Removed alone, it is predicted to raise the loss by "
        f"{signed(answer.loss)}. {words}"
    )


def no_moves(recipe: Recipe) -> str:
    """Why nothing would move with the method of this recipe; empty if something may."""
    if recipe.estimator.compensates:
        return ""
    title = title_of(type(recipe.estimator))
    if hasattr(recipe.estimator, "compensation"):
        return (
            f"Compensation of {title} is off, so no other weight would move if this "
            "one went."
        )
    return f"{title} corrects nothing: no other weight would move if this one went."


def summed_up(cells: Cells | None, mean: bool) -> str:
    """What a cell of the picture stands for; empty where it is one weight."""
    if cells is None or not cells.reduced:
        return ""
    what = "the mean size" if mean else "the weight of the largest size"
    return (
        f"Each cell stands for {cells.high}\N{MULTIPLICATION SIGN}{cells.wide} weights "
        f"and shows {what}; zoom in to see each."
    )


def dense(name: str) -> str:
    """Of a layer that has no saliencies."""
    return f"{short(name)} stays dense, so none of its weights has a saliency."
