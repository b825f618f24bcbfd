"""Tiny networks that use their weights in all sorts of ways."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
