"""Shared: a curvature whose layers are held by several processes."""

from dataclasses import astuple

import torch
from torch import Tensor

from engine.curvature.base import Curvature, Losses, Removal, Tensors, Untold
from engine.curvature.groups import Best
from engine.facts import LayerCurvature
from engine.masks import Masks
from engine.monitor import Monitor
from engine.sharing.processes import Ranks
from engine.sharing.shares import Holders


class SharedCurvature(Untold):
    """A curvature each process knows for its layers, answering for all of them.

    Args:
        own: Fitted to this process's layers.
        held: Of every layer.
        ranks: The processes.
        monitor: Brings one process's failure to all.
    """

    def __init__(
        self, own: Curvature, held: Holders, ranks: Ranks, monitor: Monitor
    ) -> None:
        self._own, self._held = own, held
        self._ranks, self._monitor = ranks, monitor

    def facts(self) -> tuple[LayerCurvature, ...]:
        """Every layer's, as its holder knows them."""
        own = {each.name: each for each in self._own.facts()}
        table = torch.zeros(len(self._held), 5, dtype=torch.float64)
        for row, name in enumerate(self._held):
            if name in own:
                table[row] = torch.tensor(astuple(own[name])[1:], dtype=torch.float64)
        return tuple(
            LayerCurvature(name, int(n), mean, damping, int(blocks), int(raised))
            for name, (n, mean, damping, blocks, raised) in zip(
                self._held, self._ranks.sum(table).tolist(), strict=True
            )
            if blocks
        )

    def scores(self, weights: Tensors) -> Tensors:
        """Every layer's, as its holder computes them."""
        with self._monitor.apart():
            own = self._own.scores(self._mine(weights))
        return {
            name: self._sent(own, name, weight.double())
            for name, weight in weights.items()
        }

    def cheapest(self, weights: Tensors, groups: Tensors, taken: Tensor) -> Best:
        """Every layer's, as its holder computes them."""
        with self._monitor.apart():
            own = self._own.cheapest(self._mine(weights), self._mine(groups), taken)
        losses = {name: found[0] for name, found in own.items()}
        chosen = {name: found[1] for name, found in own.items()}
        return {
            name: (
                self._sent(losses, name, inside[:, 0].double()),
                self._sent(chosen, name, inside[:, 0]),
            )
            for name, inside in groups.items()
        }

    def removal(
        self, weights: Tensors, removed: Masks, sets: Tensors | None = None
    ) -> Removal:
        """Corrections from the holders; losses are sums, so over the processes."""
        with self._monitor.apart():
            own = self._own.removal(
                self._mine(weights), self._mine(removed), self._mine(sets)
            )
        corrections = {
            name: self._sent(own.corrections, name, weight)
            for name, weight in weights.items()
        }
        known = torch.tensor(
            [each or 0.0 for each in own.predicted], dtype=torch.float64
        )
        sums = self._ranks.sum(known).tolist()
        losses = (
            None if each is None else total
            for each, total in zip(own.predicted, sums, strict=True)
        )
        return Removal(corrections, *losses, self._shares(own))

    def _shares(self, own: Removal) -> Losses:
        """Each layer's losses, as its owner knows them."""
        table = torch.zeros(len(self._held), 3, dtype=torch.float64)
        for row, name in enumerate(self._held):
            if name in own.layers:
                summed, joint = own.layers[name]
                table[row] = torch.tensor([1.0, summed, joint or 0.0])
        known = own.joint is not None
        return {
            name: (summed, joint if known else None)
            for name, (told, summed, joint) in zip(
                self._held, self._ranks.sum(table).tolist(), strict=True
            )
            if told
        }

    def _mine(self, each: Tensors | None) -> Tensors | None:
        if each is None:
            return None
        return {n: v for n, v in each.items() if self._held[n] == self._ranks.rank}

    def _sent(self, own: Tensors, name: str, like: Tensor) -> Tensor:
        values = (
            own.get(name, like)
            .to(like.dtype)
            .clone(memory_format=torch.contiguous_format)
        )
        return self._ranks.send(values, self._held[name])
