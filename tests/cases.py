"""Tiny networks of many kinds, as data, and a split that holds tensors."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine import masks
from engine.loss import Loss
from engine.masks import Masks
from engine.problem import Problem
from tests.networks import (
    Attention,
    Embedded,
    Folded,
    Functional,
    Residual,
    StepsFirst,
    StepsFirstAttention,
    Tied,
    Twice,
    Uncalled,
    Unused,
)


class Images:
    """Training images and labels in memory."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: Tensor, generator=None) -> tuple[Tensor, Tensor]:
        return self.images[indices], self.labels[indices]


def _convolution(kind: type[nn.Module], size: int, **options) -> Callable:
    def build() -> nn.Module:
        first = kind(4, 4, **options)
        return nn.Sequential(
            first, nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(size, 3)
        )

    return build


@dataclass(frozen=True)
class Case:
    """A network for inputs of `shape` with 3 classes, and which weights take longer."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    vmapped: tuple[str, ...] = ()
    looped: tuple[str, ...] = ()


CASES = (
    Case("bare", lambda: nn.Linear(5, 3), (5,)),
    Case(
        "mlp",
        lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(8, 6, bias=False), nn.ReLU(), nn.Linear(6, 3)
        ),
        (2, 4),
    ),
    Case("dropout", lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 3)), (5,)),
    Case(
        "same",
        _convolution(nn.Conv2d, 100, kernel_size=(5, 3), padding="same"),
        (4, 5, 5),
    ),
    Case(
        "valid", _convolution(nn.Conv2d, 36, kernel_size=3, padding="valid"), (4, 5, 5)
    ),
    Case(
        "strided",
        _convolution(
            nn.Conv2d,
            24,
            kernel_size=(2, 3),
            stride=(2, 3),
            padding=(0, 2),
            dilation=(2, 1),
        ),
        (4, 6, 6),
    ),
    Case(
        "circular",
        _convolution(nn.Conv2d, 100, kernel_size=3, padding=1, padding_mode="circular"),
        (4, 5, 5),
    ),
    Case(
        "reflect",
        _convolution(nn.Conv1d, 28, kernel_size=3, padding=1, padding_mode="reflect"),
        (4, 7),
    ),
    Case("grouped", _convolution(nn.Conv2d, 36, kernel_size=3, groups=2), (4, 5, 5)),
    Case(
        "depthwise",
        _convolution(nn.Conv2d, 100, kernel_size=3, groups=4, padding=1),
        (4, 5, 5),
    ),
    Case("conv1d", _convolution(nn.Conv1d, 12, kernel_size=3, stride=2), (4, 7)),
    Case(
        "conv3d",
        _convolution(nn.Conv3d, 48, kernel_size=2, padding="same", dilation=2),
        (4, 2, 2, 3),
    ),
    Case("residual", Residual, (2, 6, 6)),
    Case("twice", Twice, (2, 6, 6)),
    Case("tied", Tied, (4,)),
    Case("folded", Folded, (1, 6, 6)),
    Case("unused", Unused, (4,), ("inner.weight",)),
    Case("functional", Functional, (4,), ("inner.weight",)),
    Case("uncalled", Uncalled, (4,), ("inner.weight",)),
    Case("steps_first", StepsFirst, (4, 5), ("inner.weight",)),
    Case(
        "attention",
        Attention,
        (3, 4),
        ("attention.in_proj_weight", "attention.out_proj.weight"),
    ),
    Case(
        "steps_first_attention",
        StepsFirstAttention,
        (3, 4),
        ("attention.in_proj_weight", "attention.out_proj.weight"),
    ),
    Case("embedded", Embedded, (7,), ("table.weight",)),
    Case(
        "transposed",
        _convolution(nn.ConvTranspose2d, 64, kernel_size=2),
        (4, 3, 3),
        ("0.weight",),
    ),
    Case(
        "parametrised",
        lambda: nn.Sequential(
            nn.utils.parametrizations.weight_norm(nn.Linear(5, 4)), nn.Linear(4, 3)
        ),
        (5,),
        (
            "0.parametrizations.weight.original0",
            "0.parametrizations.weight.original1",
        ),
    ),
    Case("log_softmax", lambda: nn.Sequential(nn.Linear(5, 3), nn.LogSoftmax(1)), (5,)),
)

BY_NAME = {case.name: case for case in CASES}


def problem(
    build: Callable[[], nn.Module],
    shape: tuple[int, ...],
    images: int = 30,
    dtype: torch.dtype = torch.float64,
) -> Problem:
    """A network with random images of 3 classes, everything prunable."""
    model = build().to(dtype)
    inputs, labels = torch.randn(images, *shape), torch.randint(0, 3, (images,))
    split = Images(inputs.to(dtype), labels)
    return Problem(model, prunable(model), split, Loss())


def perceptron(images: int = 30, dtype: torch.dtype = torch.float64) -> Problem:
    """Two small linear layers."""
    return problem(
        lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)),
        (6,),
        images,
        dtype,
    )


def keep_all(given: Problem) -> Masks:
    return {n: torch.ones_like(w, dtype=torch.bool) for n, w in given.weights().items()}


def keep_some(given: Problem, share: float = 0.7) -> Masks:
    """Random masks, already applied to the network."""
    kept = {n: torch.rand(w.shape) < share for n, w in given.weights().items()}
    masks.apply(kept, given.weights())
    return kept


def prunable(model: nn.Module) -> tuple[str, ...]:
    """Every parameter with two dimensions or more."""
    return tuple(n for n, weight in model.named_parameters() if weight.dim() > 1)
