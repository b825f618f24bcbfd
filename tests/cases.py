"""Tiny networks of many kinds, as data, and a split that holds tensors."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine import masks
from engine.loss import Loss
from engine.masks import Masks
from engine.problem import Problem


class Images:
    """Training images and labels in memory."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: Tensor, generator=None) -> tuple[Tensor, Tensor]:
        return self.images[indices], self.labels[indices]


class Twice(nn.Module):
    """One module called two times in a forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Linear(2 * 36, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.conv(F.relu(self.conv(x)))).flatten(1))


class Tied(nn.Module):
    """Two modules that share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.second(torch.tanh(self.first(x)))))


class Functional(nn.Module):
    """A module's weight that is also used behind the module's back."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.inner(x)) + F.linear(x, self.inner.weight)
        return self.head(x)


class Uncalled(nn.Module):
    """A module whose forward is never used, only its weight."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(F.linear(x, self.inner.weight)))


class Unused(nn.Module):
    """A layer that the output does not depend on."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.inner(x)
        return self.head(x)


class StepsFirst(nn.Module):
    """A linear layer that sees (steps, images, features)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.inner(x.transpose(0, 1))).mean(0))


class Folded(nn.Module):
    """Patches folded into the first dimension, images outermost."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 2, 2), nn.Linear(2 * 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        pieces = x.unfold(2, 3, 3).unfold(3, 3, 3).reshape(-1, 1, 3, 3)
        found = F.relu(self.conv(pieces)).flatten(1).reshape(len(x), 4, -1)
        return self.head(found.mean(1))


class Attention(nn.Module):
    """Self-attention: its packed projections are no linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.attention(x, x, x, need_weights=False)[0].mean(1))


class StepsFirstAttention(nn.Module):
    """Attention over (steps, images, features), a mask, and a tuple as output."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1)
        late = torch.ones(len(x), len(x), dtype=torch.bool, device=x.device).triu(1)
        return self.head(self.attention(x, x, x, attn_mask=late)[0].mean(0))


class Embedded(nn.Module):
    """A table of vectors, looked up by grey level."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(6, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.table(x.abs().long().clamp(max=5))).mean(1))


class Residual(nn.Module):
    """Batch norm, in-place ReLU on a convolution's output, and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.first(x)))
        y = self.second(x)
        y += x
        return self.head(self.relu(y).mean((2, 3)))


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
