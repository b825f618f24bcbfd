"""The plain versions that the engine is measured against, batched where that pays."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RankOne:
    """WoodFisher's recursion: F^-1 itself, updated by one gradient after the other.

    Args:
        gradients: (blocks, N, c).
        damping: Added to the diagonal.
    """

    def __init__(self, gradients: Tensor, damping: float) -> None:
        blocks, samples, width = gradients.shape
        eye = torch.eye(width, dtype=gradients.dtype) / damping
        self._inverse = eye.repeat(blocks, 1, 1)
        for each in gradients.unbind(1):
            left = self._inverse @ each[:, :, None]
            scale = samples + each[:, None] @ left
            self._inverse.addcmul_(left, (left / scale).mT, value=-1)

    def diag(self) -> Tensor:
        """Diagonal of F^-1 (blocks, c)."""
        return self._inverse.diagonal(dim1=1, dim2=2)

    def solve(self, vectors: Tensor) -> Tensor:
        """F^-1 v for v (blocks, c)."""
        return (self._inverse @ vectors[:, :, None]).squeeze(2)


class Mfac:
    """M-FAC's static algorithm (Frantar et al., 2021), all blocks of a batch at once.

    Row i becomes v_i = F_(i-1)^-1 g_i, so that F^-1 x = x / damping - sum of
    v_i (v_i x) / q_i with q_i = N + g_i v_i; no c x c matrix.

    Args:
        gradients: (blocks, N, c).
        damping: Added to the diagonal.
    """

    def __init__(self, gradients: Tensor, damping: float) -> None:
        blocks, samples, _ = gradients.shape
        self._damping = damping
        self._rows = gradients / damping
        self._scales = gradients.new_empty(blocks, samples, 1)
        for i in range(samples):
            each, before = gradients[:, i, :, None], self._rows[:, :i]
            weights = (before @ each) / self._scales[:, :i]
            self._rows[:, i] -= (weights.mT @ before).squeeze(1)
            self._scales[:, i] = samples + (self._rows[:, i, None] @ each).squeeze(2)

    def diag(self) -> Tensor:
        """Diagonal of F^-1 (blocks, c)."""
        return 1 / self._damping - (self._rows.square() / self._scales).sum(1)

    def solve(self, vectors: Tensor) -> Tensor:
        """F^-1 v for v (blocks, c)."""
        weights = (self._rows @ vectors[:, :, None]) / self._scales
        return vectors / self._damping - (weights.mT @ self._rows).squeeze(1)


def gradient_rows(
    model: nn.Module, names: tuple[str, ...], images: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    """(images, numel) per parameter by one backward pass per image."""
    model.eval()
    weights = [model.get_parameter(name) for name in names]
    rows = {
        name: weight.new_empty(len(images), weight.numel())
        for name, weight in zip(names, weights, strict=True)
    }
    for i in range(len(images)):
        loss = F.cross_entropy(model(images[i, None]), labels[i, None])
        found = torch.autograd.grad(loss, weights)
        for name, gradient in zip(names, found, strict=True):
            rows[name][i] = gradient.reshape(-1)
    return rows


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    batch: int,
    optimizer: torch.optim.Optimizer,
) -> None:
    """One epoch in a new order on images that are ready in memory."""
    model.train()
    for indices in torch.randperm(len(images)).split(batch):
        loss = F.cross_entropy(model(images[indices]), labels[indices])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
