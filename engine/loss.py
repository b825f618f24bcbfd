"""The classification loss, whatever the network returns: logits or probabilities."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

OutputKind = Literal["logits", "log_probabilities", "probabilities"]
TOLERANCE = 1e-3  # how far a row of float32 probabilities may sum from 1


@torch.no_grad()
def detect(outputs: Tensor) -> OutputKind:
    """What the rows (n, classes) of a network's outputs on real images are.

    A negative log-likelihood on logits would silently give constant gradients, so
    nobody should have to guess. A single column is always taken for a logit.
    """
    rows = outputs.double()
    if rows.shape[-1] < 2:
        return "logits"
    if _sums_to_one(rows.exp()) and bool((rows <= TOLERANCE).all()):
        return "log_probabilities"
    if _sums_to_one(rows) and bool((rows >= -TOLERANCE).all()):
        return "probabilities"
    return "logits"


@dataclass(frozen=True)
class Loss:
    """Cross-entropy of outputs (n, classes) with integer labels (n,).

    Log-softmax leaves log-probabilities as they are, so one formula serves all kinds;
    probabilities are clamped to the smallest normal number before the logarithm.

    Attributes:
        kind: What the network returns, see `detect`.
        label_smoothing: Share of each label spread evenly over all classes.
    """

    kind: OutputKind = "logits"
    label_smoothing: float = 0.0

    def per_sample(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Losses (n,)."""
        return self._loss(outputs, labels, "none")

    def mean(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Mean loss per image, a scalar."""
        return self._loss(outputs, labels, "mean")

    def probabilities(self, outputs: Tensor) -> Tensor:
        """What the outputs make of each class (n, classes)."""
        return outputs if self.kind == "probabilities" else outputs.softmax(1)

    @torch.no_grad()
    def draw(self, outputs: Tensor, chances: Tensor) -> Tensor:
        """Labels (n,) from the network's own distribution.

        Args:
            outputs: (n, classes).
            chances: (n,) float64 in [0, 1), where in the distribution each label lies.
        """
        rows = self.probabilities(outputs.double())
        sums = rows.cumsum(1)
        labels = (sums <= chances[:, None] * sums[:, -1:]).sum(1)
        return labels.clamp_max(rows.shape[1] - 1)

    def logarithms(self, outputs: Tensor) -> Tensor:
        """Log-probabilities (n, classes)."""
        return F.log_softmax(self._logits(outputs), 1)

    def _loss(self, outputs: Tensor, labels: Tensor, reduction: str) -> Tensor:
        return F.cross_entropy(
            self._logits(outputs),
            labels,
            reduction=reduction,
            label_smoothing=self.label_smoothing,
        )

    def _logits(self, outputs: Tensor) -> Tensor:
        if self.kind == "probabilities":
            return outputs.clamp_min(torch.finfo(outputs.dtype).tiny).log()
        return outputs


def _sums_to_one(rows: Tensor) -> bool:
    return bool(((rows.sum(-1) - 1).abs() <= TOLERANCE).all())
