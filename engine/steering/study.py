"""Study: a network as it was scored, kept to be asked what a cut would do."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from engine import masks as masking
from engine.allocation.base import Candidates, ensure_finite
from engine.allocation.units import Units
from engine.curvature.base import Curvature
from engine.masks import Masks
from engine.patterns.base import Sets
from engine.problem import Problem
from engine.steering.ranking import LayerRanking, Ranking


@dataclass(frozen=True, eq=False)
class Study:
    """What a scoring leaves behind, on the CPU; it shares nothing with the network.

    Attributes:
        ranking: Every layer's saliencies in rising order.
        state: The network's `state_dict` at that moment.
        order: Positions (units, size) in each flattened weight of what goes first,
            second and so on; numel is nobody.
        classes: Names in the order of the labels, where a look left it.
    """

    ranking: Ranking
    state: dict[str, Tensor]
    order: dict[str, Tensor]
    classes: tuple[str, ...] = ()

    def removed(self, units: Mapping[str, int], name: str) -> Tensor:
        """Positions in the flattened weight of a layer's lowest units."""
        gone = self.order[name][: units.get(name, 0)].reshape(-1).long()
        return gone[gone < self.ranking.layers[name].size]


def study_of(
    problem: Problem,
    curvature: Curvature,
    masks: Masks,
    units: Candidates,
    uses: dict[str, float],
) -> Study:
    """Sort the candidates of every layer: O(n log n), and a copy of the network.

    Args:
        problem: The network that was scored.
        curvature: By which.
        masks: Kept weights when it was.
        units: What may go of each layer.
        uses: Multiply-accumulates per weight of each layer, for one image.

    Raises:
        RunError: A saliency is not a finite number.
    """
    ensure_finite(units)
    weights, layers, order = problem.weights(), {}, {}
    others = other_names(problem.model)
    for name, each in units.items():
        weight = weights[name]
        live, positions = _sorted(each, weight.numel())
        layers[name] = LayerRanking(
            name,
            others[name],
            weight.numel(),
            int((~masks[name]).sum()),
            uses[name],
            weight.element_size(),
            live.scores.cpu().numpy(),
            None if live.sizes.dtype == torch.bool else live.sizes.cpu().numpy(),
            _emptied(masks[name], positions),
        )
        layers[name].loss(0)  # the sums are made here, on the engine's thread
        order[name] = positions.to("cpu", torch.int32)
    nothing = masking.removed_between(masks, masks)
    base = curvature.removal(weights, nothing).summed
    parameters = dict(problem.model.named_parameters())
    ranking = Ranking(
        layers,
        None if base is None else -base,
        sum(uses[name] * parameters[name].numel() for name in uses),
        sum(each.nbytes for each in parameters.values()),
    )
    state = problem.model.state_dict()
    copied = {key: value.detach().to("cpu", copy=True) for key, value in state.items()}
    return Study(ranking, copied, order)


def other_names(model: nn.Module) -> dict[str, tuple[str, ...]]:
    """The further names of every parameter that has several."""
    names: dict[int, list[str]] = {}
    every = list(model.named_parameters(remove_duplicate=False))
    for name, parameter in every:
        names.setdefault(id(parameter), []).append(name)
    return {
        name: tuple(other for other in names[id(parameter)] if other != name)
        for name, parameter in every
    }


def _emptied(mask: Tensor, positions: Tensor) -> np.ndarray | None:
    """How many of the first units leave nothing of a row, for each that could go.

    Args:
        mask: Kept weights of a layer.
        positions: Of each unit (units, size) in the flattened weight, in order.
    """
    if mask.ndim < 2:
        return None
    live = mask.flatten(1).sum(1)
    ranks = torch.arange(1, len(positions) + 1, device=positions.device)
    ranks = ranks[:, None].expand_as(positions)
    some = positions < mask.numel()
    row = positions[some] // max(mask[0].numel(), 1)
    last = torch.zeros_like(live).scatter_reduce_(0, row, ranks[some], "amax")
    covered = torch.bincount(row, minlength=len(live)) == live
    return last[covered].sort().values.cpu().numpy()


def _sorted(units: Units, numel: int) -> tuple[Units, Tensor]:
    """Units that may go in rising order, and positions (units, size) of each."""
    among = (units.sizes > 0).nonzero().squeeze(1)
    places = among[units.scores[among].argsort(stable=True)]
    single = not isinstance(units, Sets)
    positions = places[:, None] if single else units.members[places]
    return Units(units.scores[places], units.sizes[places]), positions
