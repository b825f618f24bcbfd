"""Optimal Brain Surgeon: saliencies and corrections from any inverse curvature."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.curvature.base import Losses, Removal
from engine.curvature.groups import (
    Best,
    at,
    cheapest,
    joint_losses,
    joint_pulls,
    spread,
)
from engine.curvature.inverse import Inverse, Measured
from engine.errors import RunError
from engine.facts import LayerCurvature
from engine.masks import Masks
from engine.monitor import Monitor, Progress

Compensation = Literal["none", "sum", "joint"]
Order = Literal["independent", "greedy"]
Tensors = dict[str, Tensor]


class ObsCurvature:
    """The Optimal Brain Surgeon formulas, for every method that has an inverse.

    With s = w - F^-1 g the saliency is s^2 / (2 diag F^-1), or in greedy order what the
    weight costs once the cheaper ones of its block are gone and made up for (CAP,
    Kuznedelev et al., 2023; they rank by cumulative costs). The correction of survivors
    is -F^-1 g - F^-1 (removed s / diag), the sum of single-weight updates (of updates
    for sets that go together, ((F^-1)_QQ)^-1 s_Q in place of s / diag), or -F^-1 g plus
    the exact joint step per block, which is what removal one by one adds up to. So
    one elimination gives every sparsity. g = 0 is Optimal Brain
    Surgeon (Hassibi and Stork, 1993) and WoodFisher; a gradient kept is WoodTaylor.

    Args:
        inverses: One per layer.
        compensation: none, sum or joint.
        strength: Scales the correction of survivors; removed weights reach 0 always.
        gradient: Mean gradient per layer (numel,), zero on removed weights; None = 0.
        order: Saliencies of single weights, or of greedy elimination in each block.
        monitor: Hears how far a correction is.
    """

    joins: ClassVar[bool] = True  # whether the inverses can tell of joint removals

    def __init__(
        self,
        inverses: dict[str, Inverse],
        compensation: Compensation = "sum",
        strength: float = 1.0,
        gradient: Tensors | None = None,
        order: Order = "independent",
        monitor: Monitor | None = None,
    ) -> None:
        self._inverses, self._order = inverses, order
        self._monitor = monitor or Monitor()
        self._compensation = compensation
        self._strength = strength
        self._eliminations: dict[str, tuple[Tensor, Tensor]] = {}
        self._newton = {}
        self._gain: dict[str, float] = {}
        for name, slope in (gradient or {}).items():
            self._newton[name] = inverses[name].solve(slope.double())
            self._gain[name] = float(slope.double() @ self._newton[name]) / 2

    def facts(self) -> tuple[LayerCurvature, ...]:
        """What a Fisher and its damping come to; other inverses have neither."""
        return tuple(
            LayerCurvature(
                name,
                each.weights,
                each.squares / max(each.weights, 1),
                float(each.damping.mean()),
                len(each.damping),
                each.raised,
            )
            for name, each in self._inverses.items()
            if isinstance(each, Measured)
        )

    def resampled(self, weights: Tensors) -> Iterator[Tensors]:
        """Saliencies by each bootstrap sample, if the fit took any; see `scores`."""
        found = {n: getattr(i, "resampled", None) for n, i in self._inverses.items()}
        if self._order == "greedy" or any(each is None for each in found.values()):
            return
        for draw in zip(*found.values(), strict=True):
            yield {
                name: (self._moved(name, weights[name]).square() / (2 * diag)).reshape(
                    weights[name].shape
                )
                for name, diag in zip(found, draw, strict=True)
            }

    @torch.no_grad()
    def scores(self, weights: Tensors) -> Tensors:
        """Saliencies in loss units, float64; 0 for weights that are zero already.

        Raises:
            RunError: A block has no usable inverse to eliminate with.
        """
        ask = self._eliminated if self._order == "greedy" else self._saliency
        return {
            name: ask(name, weight).reshape(weight.shape)
            for name, weight in weights.items()
        }

    @torch.no_grad()
    def cheapest(self, weights: Tensors, groups: Tensors, taken: Tensor) -> Best:
        """The exact joint loss of each subset, others compensating for it alone.

        Raises:
            RunError: The members of a group have no usable inverse.
        """
        found = {}
        for name, weight in weights.items():
            moved, inside = self._moved(name, weight), groups[name]
            blocks = self._inverses[name].within(inside)
            losses = joint_losses(at(moved, inside), blocks, taken)
            found[name] = cheapest(losses, taken, inside, weight.numel())
        return found

    @torch.no_grad()
    def removal(
        self, weights: Tensors, removed: Masks, sets: Tensors | None = None
    ) -> Removal:
        """Each piece of curvature is looked at once, for correction and joint loss."""
        corrections: Tensors = {}
        losses: Losses = {}
        total = sum(int(removed[name].sum()) for name in weights)
        progress = self._monitor.progress("Correction", total)
        for name, weight in weights.items():
            moved, gone = self._moved(name, weight), removed[name].reshape(-1)
            pull = self._pull(name, moved, gone, sets and sets[name])
            step, loss = self._step(name, moved, gone, pull, progress)
            gain = self._gain.get(name, 0.0)
            summed = float(moved @ pull) / 2 - gain
            losses[name] = summed, loss - gain if self.joins else None
            step = step.to(weight.dtype).reshape(weight.shape)
            corrections[name] = torch.where(removed[name], -weight, step)
        return Removal.adding_up(corrections, losses)

    def _step(
        self, name: str, moved: Tensor, gone: Tensor, pull: Tensor, progress: Progress
    ) -> tuple[Tensor, float]:
        """The survivors' step by the kind of compensation, loss of a joint removal."""
        step, loss = torch.zeros_like(moved), 0.0
        for here, inverse in self._inverses[name].pieces(gone):
            if self.joins:
                step[here], cost = inverse.joint(moved[here], gone[here])
                loss += cost
            if self._compensation == "sum":
                step[here] = -inverse.solve(pull[here])
            del inverse  # before the next page's is made
            progress.advance(int(gone[here].sum()))
        if self._compensation == "none":
            return torch.zeros_like(moved), loss
        return (step - self._newton.get(name, 0)) * self._strength, loss

    def _pull(
        self, name: str, moved: Tensor, gone: Tensor, inside: Tensor | None
    ) -> Tensor:
        """((F^-1)_QQ)^-1 s_Q of every set Q that goes, single weights without sets."""
        inverse = self._inverses[name]
        if not gone.any():
            return torch.zeros_like(moved)
        if inside is None:
            return moved.masked_fill(~gone, 0) / inverse.diag()
        pulls = joint_pulls(at(moved, inside), inverse.within(inside))
        return spread(pulls, inside, len(moved))

    def _saliency(self, name: str, weight: Tensor) -> Tensor:
        moved = self._moved(name, weight)
        return moved.square() / (2 * self._inverses[name].diag())

    def _eliminated(self, name: str, weight: Tensor) -> Tensor:
        """Kept for as long as the weights stay, because it tells of every sparsity."""
        seen, losses = self._eliminations.get(name, (None, None))
        if seen is not None and torch.equal(seen, weight):
            return losses
        try:
            losses = self._inverses[name].greedy(self._moved(name, weight))
        except torch.linalg.LinAlgError as error:
            raise RunError(
                f"The curvature of {name} has no usable inverse.", "Raise the damping."
            ) from error
        self._eliminations[name] = weight.detach().clone(), losses
        return losses

    def _moved(self, name: str, weight: Tensor) -> Tensor:
        """S = w - F^-1 g (numel,)."""
        return weight.detach().reshape(-1).double() - self._newton.get(name, 0)
