"""ExactOBS: each layer keeps its outputs, row by row, without labels or gradients."""

from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict
from torch import Tensor

from engine.curvature.base import Removal, Untold
from engine.curvature.covariance import input_moments
from engine.curvature.groups import Best, at, cheapest, joint_losses
from engine.curvature.sweep import (
    exact_updates,
    greedy_losses,
    row_inverses,
    row_pieces,
)
from engine.errors import RunError
from engine.estimators.base import Estimator, Tensors
from engine.facts import LayerInfo
from engine.gradients.moments import choose
from engine.masks import Masks
from engine.monitor import Monitor
from engine.part import field
from engine.planning.work import READING, Work, inputs_work, sides
from engine.problem import Problem


class LayerErrors(Untold):
    """Losses of greedy elimination, and the exact update for whatever set goes.

    Args:
        scores: Of `greedy_losses`, shaped as the weights.
        hessians: 2 E sum_t x x^T, damped (groups, in, in) per layer.
        masks: Kept weights when it was fitted.
    """

    def __init__(self, scores: Tensors, hessians: Tensors, masks: Masks) -> None:
        self._scores, self._hessians, self._masks = scores, hessians, masks

    def scores(self, weights: Tensors) -> Tensors:
        """Output error of the layer when greedy elimination reaches each weight."""
        return {name: self._scores[name] for name in weights}

    @torch.no_grad()
    def cheapest(self, weights: Tensors, groups: Tensors, taken: Tensor) -> Best:
        """The exact joint error of each subset, its row compensating for it alone."""
        found = {}
        for name, weight in weights.items():
            inside = groups[name]
            blocks = within_rows(self._hessians[name], self._masks[name], inside)
            values = at(weight.double().reshape(-1), inside)
            losses = joint_losses(values, blocks, taken)
            found[name] = cheapest(losses, taken, inside, weight.numel())
        return found

    @torch.no_grad()
    def removal(
        self, weights: Tensors, removed: Masks, sets: Tensors | None = None
    ) -> Removal:
        """What keeps each row's outputs closest; errors of outputs are no losses."""
        found = {}
        for name, weight in weights.items():
            if not removed[name].any():
                found[name] = torch.zeros_like(weight)
                continue
            step = by_row(
                exact_updates,
                self._hessians[name],
                weight.double(),
                removed[name],
                self._masks[name],
            )
            found[name] = torch.where(removed[name], -weight, step.to(weight.dtype))
        return Removal(found, None, None)


class ExactOBS(Estimator):
    """Greedy Optimal Brain Surgeon in each row of a layer, for its output error.

    Frantar and Alistarh, "Optimal Brain Compression", 2022: ||W X - W' X||^2 has the
    Hessian 2 X X^T for every row. All step losses of a layer make its ranking; the
    exact update of the chosen set equals the greedy trace at that point, so no trace is
    stored. Errors of different layers have no common unit: give each layer its own
    sparsity (Uniform), not a global threshold. X is what the network computes now.
    Cost: time O(rows in^3) per layer, memory O(in^2).
    """

    model_config = ConfigDict(title="ExactOBS (layer outputs)")
    fits_apart: ClassVar[bool] = True
    kind: Literal["exact_obs"] = "exact_obs"
    images: int = field(
        1024, "Images", "Training images whose inputs are kept close; no labels used.",
        ge=1, le=10_000_000, unit="images",
    )  # fmt: skip
    damping: float = field(
        1e-2, "Relative damping",
        "Added to the Hessian's diagonal, relative to its mean; 0.01 suits most.",
        gt=0, le=1e6,
    )  # fmt: skip

    @property
    def compensates(self) -> bool:
        """Always: the update is the point of it."""
        return True

    def work(self, layers: tuple[LayerInfo, ...], train: int) -> Work:
        """Passes forward for the inputs, and elimination in every row."""
        images, total = min(self.images, train), 0.0
        for layer in layers:
            out, width = sides(layer)
            total += inputs_work(layer, images) + READING * out * width**3
        return Work(images / 3, total)

    def fit(
        self, problem: Problem, masks: Masks, monitor: Monitor, seed: int
    ) -> LayerErrors:
        """Gather inputs of the network as it is now and eliminate row by row.

        Raises:
            InputError: A layer is neither linear nor a convolution.
            RunError: There are no images, inputs are missing or not finite, or the
                damping is too small for them.
        """

        def eliminate(*rows: Tensor) -> Tensor:
            monitor.check()
            try:
                return greedy_losses(*rows)
            except torch.linalg.LinAlgError as error:
                raise RunError(
                    "The inputs of a layer leave no usable inverse.",
                    "Raise estimator.damping.",
                ) from error

        with monitor.phase("gradients"):
            order = choose(problem, self.images, seed, monitor)
            moments = input_moments(
                problem, order, problem.fetch(), "ExactOBS", monitor
            )
        hessians = {
            name: damped(2 * each, self.damping) for name, each in moments.items()
        }
        with monitor.phase("curvature"):
            weights = problem.weights()
            scores = {
                name: by_row(
                    eliminate, hessians[name], weights[name].double(), masks[name]
                )
                for name in monitor.track(problem.names, "Elimination")
            }
        return LayerErrors(scores, hessians, dict(masks))


def damped(hessian: Tensor, share: float) -> Tensor:
    """H + share mean(diag H) I per group; the identity where all inputs are zero."""
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    mean = diagonal.mean(1, keepdim=True)
    ridge = torch.where(mean > 0, share * mean, 1.0).expand_as(diagonal)
    return hessian + torch.diag_embed(ridge)


def within_rows(hessians: Tensor, live: Tensor, groups: Tensor) -> Tensor:
    """H^-1 on the live weights, among members of groups (groups, size, size).

    Args:
        hessians: (groups of the convolution, in, in).
        live: Shaped as the weight.
        groups: Positions, equally many for every row, in the order of the rows.
    """
    count, width = hessians.shape[:2]
    inside, each = groups < live.numel(), live.numel() // (count * width)
    place = (groups % width).reshape(count, each, groups.numel() // (count * each))
    rows = live.reshape(*place.shape[:2], width)
    found = hessians.new_zeros(*place.shape, groups.shape[1])
    for group, hessian in enumerate(hessians):
        for part in row_pieces(place.shape[1], width):
            inverse = row_inverses(hessian, rows[group, part])
            members = place[group, part].reshape(len(inverse), -1, groups.shape[1])
            row = torch.arange(len(inverse), device=groups.device)[:, None, None, None]
            entries = inverse[row, members[..., None], members[:, :, None]]
            found[group, part] = entries.reshape(found[group, part].shape)
    pairs = inside[:, :, None] & inside[:, None]
    return found.reshape(*groups.shape, groups.shape[1]) * pairs


def by_row(formula: Callable[..., Tensor], hessians: Tensor, *values: Tensor) -> Tensor:
    """Apply a formula of rows (rows, in) and a Hessian to every group of a layer.

    Args:
        formula: Takes each of `values` as rows, then the group's Hessian.
        hessians: (groups, in, in).
        values: Shaped as the weight, output channels first.
    """
    groups, width = hessians.shape[:2]
    grids = [each.reshape(groups, -1, width) for each in values]
    found = torch.empty_like(grids[0])
    for group, hessian in enumerate(hessians):
        for part in row_pieces(found.shape[1], width):
            found[group, part] = formula(*(g[group, part] for g in grids), hessian)
    return found.reshape(values[0].shape)
