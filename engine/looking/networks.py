"""Networks to look at: the scored one with its next prune, and that of a run folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.looking.layer_weights import LayerWeights, Saliency
from engine.recipe import Recipe
from engine.records import contents, nodes
from engine.records.standing import standing
from engine.steering.study import Study
from engine.words.nodes import moment
from engine.words.units import percent

State = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Network:
    """A network by tensor, on the CPU; nothing that trains shares it.

    Attributes:
        recipe: Names its model, images and method.
        state: Its `state_dict`.
        moment: Which moment of a run it is of, a sentence; empty where it is done.
        study: How it was scored; None where it was not.
        units: How many of each layer's lowest units would go.
    """

    recipe: Recipe
    state: State
    moment: str = ""
    study: Study | None = None
    units: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Which network it is, at the beginning of a sentence."""
        return "The network of the run" if self.study is None else "The scored network"

    def layers(self) -> tuple[str, ...]:
        """Weights of two and more dimensions."""
        found = self.state.items()
        return tuple(n for n, w in found if w.ndim > 1 and w.is_floating_point())

    def shape(self, name: str) -> tuple[int, ...]:
        """Of one of them."""
        return tuple(self.state[name].shape)

    def layer(self, name: str) -> LayerWeights:
        """One of them as it is drawn."""
        weight = self.state[name].detach()
        going = torch.zeros(weight.numel(), dtype=torch.bool)
        going[self._removed(name)] = True
        return LayerWeights(
            name,
            weight.float().numpy(),
            (weight == 0).numpy(),
            going.reshape(weight.shape).numpy(),
        )

    def saliency(self, name: str, position: int) -> Saliency | None:
        """Of a weight by the scoring; None where it has none."""
        if self.study is None or name not in self.study.order:
            return None
        units = (self.study.order[name] == position).any(1).nonzero()
        if not len(units):
            return None
        ranking, unit = self.study.ranking, int(units[0])
        layers, weight_of = ranking.layers, self.recipe.allocation.weight_of
        layer = layers[name]
        scored = {n: each.weights(len(each.scores)) for n, each in layers.items()}
        compared = layer.scores[unit] / weight_of(layer.uses)
        below = 0
        for each in layers.values():
            at = np.searchsorted(each.scores, compared * weight_of(each.uses))
            below += each.weights(int(at))
        return Saliency(
            float(layer.scores[unit]),
            layer.weights(unit) + 1,
            scored[name],
            below + 1,
            sum(scored.values()),
        )

    def pruned(self) -> State:
        """Its state with what would go at zero; nothing makes up for it."""
        state = dict(self.state)
        for name in self.units:
            weight = state[name].clone(memory_format=torch.contiguous_format)
            weight.view(-1)[self._removed(name)] = 0
            state[name] = weight
        return state

    def _removed(self, name: str) -> Tensor:
        if self.study is None or not self.units.get(name):
            return torch.zeros(0, dtype=torch.long)
        return self.study.removed(self.units, name)


def scored_network(
    recipe: Recipe, study: Study, units: Mapping[str, int] | None = None
) -> Network:
    """The network as it was scored.

    Args:
        recipe: It was scored with.
        study: What that left.
        units: How many of each layer's lowest units would go; None is nothing.
    """
    return Network(recipe, study.state, study=study, units=dict(units or {}))


def run_network(folder: str | Path, node: int | None = None) -> Network:
    """The result of a run or its newest state, or how it was at a node.

    Raises:
        InputError: There is nothing pruned yet, no such node, or it cannot be read.
    """
    recipe = contents.recipe_of(folder)
    if node is None:
        found = standing(folder)
        return Network(recipe, found.weights, found.moment)
    kept = nodes.node_of(folder, node)
    told = f"This moment: {moment(kept)}, {percent(kept.sparsity)} sparse."
    return Network(recipe, nodes.load(folder, node)["model"], told)
