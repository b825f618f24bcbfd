"""Fitting one layer: its curvature, kept to tell what removing a weight would move."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.curvature.base import Curvature, Removal
from engine.errors import InputError
from engine.events import Event
from engine.job import Job
from engine.known import Known
from engine.loading import fill
from engine.looking.layer_weights import Mover, Saliency, SingleRemoval
from engine.looking.look import look
from engine.looking.networks import Network
from engine.masks import Masks, from_zeros
from engine.monitor import Control, Monitor
from engine.problem import Problem
from engine.prune import fitted
from engine.thrift import thrifty

MOVERS = 10  # survivors that are told


@dataclass(frozen=True, eq=False)
class LayerFit:
    """The curvature around one layer of a network, with the weights it was fitted on.

    Attributes:
        name: Of the layer.
        curvature: Of all layers that were fitted with it.
        weights, masks: Of those layers; True = live.
        still: What the curvature answers where nothing goes: a Newton step, or zero.
        ranked: Saliencies of the live weights, rising, and their positions; None where
            the whole network was scored, which tells more.
    """

    name: str
    curvature: Curvature
    weights: dict[str, Tensor]
    masks: Masks
    still: Removal
    ranked: tuple[Tensor, Tensor] | None

    def remove(self, position: int) -> SingleRemoval:
        """What removing this weight alone would come to, by the method's own update.

        The Optimal Brain Surgeon step -w_q / [F^-1]_qq F^-1 e_q (Hassibi and Stork,
        1993) of WoodFisher, for one. A Newton step that the method takes whatever goes
        is left out.

        Args:
            position: In the flattened weight.

        Raises:
            Stopped: The fit was stopped at its very end.
        """
        value = float(self.weights[self.name].reshape(-1)[position])
        if not self.masks[self.name].reshape(-1)[position]:
            return SingleRemoval(self.name, position, value, None, (), 0.0, None)
        gone = {name: torch.zeros_like(mask) for name, mask in self.masks.items()}
        gone[self.name].view(-1)[position] = True
        removal = self.curvature.removal(self.weights, gone)
        moves = {
            name: (removal.corrections[name] - self.still.corrections[name]).reshape(-1)
            for name in self.weights
        }
        moves[self.name][position] = 0.0
        loss = None
        if removal.summed is not None:
            loss = removal.summed - self.still.summed
        told, share = self._furthest(moves)
        saliency = self._saliency(position)
        return SingleRemoval(self.name, position, value, loss, told, share, saliency)

    def _furthest(self, moves: dict[str, Tensor]) -> tuple[tuple[Mover, ...], float]:
        """The ten furthest moves, and their share of all."""
        found, total = [], 0.0
        for name, each in moves.items():
            sizes, weight = each.abs(), self.weights[name].reshape(-1)
            total += float(sizes.double().sum())
            for place in sizes.topk(min(MOVERS, len(sizes))).indices.tolist():
                if float(sizes[place]):
                    before, move = float(weight[place]), float(each[place])
                    found.append(Mover(name, place, before, move))
        found.sort(key=lambda mover: -abs(mover.move))
        few = tuple(found[:MOVERS])
        return few, sum(abs(mover.move) for mover in few) / total if total else 0.0

    def _saliency(self, position: int) -> Saliency | None:
        """Among the layer's live weights."""
        if self.ranked is None:
            return None
        scores, order = self.ranked
        rank = int((order == position).nonzero()[0])
        return Saliency(float(scores[rank]), rank + 1, len(scores))


def fit_layer(
    network: Network,
    name: str,
    known: Known | None = None,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> LayerFit | None:
    """Fit the method of the network's recipe to one layer; see `look`.

    Only this layer's gradients are kept, unless the method joins layers.

    Args:
        network: What to fit on, as it stands.
        name: Of the layer.
        known: Has the images where they were read before, or keeps them.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The fit, or None when it was stopped.

    Raises:
        EngineError: The recipe cannot run, or leaves this layer dense; after
            `LookEnded`.
    """

    def work(monitor: Monitor) -> tuple[LayerFit, str]:
        return _fit(network, name, known, monitor, trust), f"Fitted {name}."

    return look(f"Fitting {name}", network.recipe, work, emit, control)


def _fit(
    network: Network,
    name: str,
    known: Known | None,
    monitor: Monitor,
    trust: frozenset[str],
) -> LayerFit:
    job = Job(network.recipe, monitor, trust, known=known)
    if name not in job.problem.names:
        raise InputError(
            f"The recipe leaves {name} dense, so it has no curvature.",
            "Choose a layer that is pruned.",
        )
    fill(job.model, network.state, network.title)
    names = (name,) if job.settled.estimator.fits_apart else job.problem.names
    ranks = network.study is None

    def work(problem: Problem) -> LayerFit:
        weights = {
            n: w.clone(memory_format=torch.contiguous_format)
            for n, w in problem.weights().items()
        }
        masks = from_zeros(weights)
        curvature, _ = fitted(problem, masks, job.settled, 0, monitor)
        nothing = {n: torch.zeros_like(mask) for n, mask in masks.items()}
        still = curvature.removal(weights, nothing)
        ranked = None
        if ranks:
            ranked = _ranked(curvature.scores(weights)[name], masks[name])
        return LayerFit(name, curvature, weights, masks, still, ranked)

    problem = job.problem.only(names)
    return thrifty(problem, network.recipe.estimator, None, monitor, work)[0]


def _ranked(scores: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
    """Saliencies of live weights in rising order, and their positions."""
    places = live.reshape(-1).nonzero().squeeze(1)
    order = scores.reshape(-1)[places].argsort(stable=True)
    return scores.reshape(-1)[places[order]], places[order]
