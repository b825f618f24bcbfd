"""Slow, dense, obviously right float64 versions of the formulas, to test against."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def fisher(rows: Tensor, damping: float) -> Tensor:
    """Damping I + 1/N sum g g^T."""
    rows = rows.double()
    return damping * torch.eye(rows.shape[1]).double() + rows.T @ rows / len(rows)


def block_fisher(rows: Tensor, damping: float, size: int) -> Tensor:
    """The same with every entry between two blocks of neighbours set to zero."""
    block = torch.arange(rows.shape[1]) // (size or rows.shape[1])
    return fisher(rows, damping) * (block[:, None] == block[None])


def woodbury(rows: Tensor, damping: float) -> Tensor:
    """Inverse of `fisher` by N rank-one steps."""
    inverse = torch.eye(rows.shape[1]).double() / damping
    for g in rows.double():
        left = inverse @ g
        inverse = inverse - torch.outer(left, left) / (len(rows) + g @ left)
    return inverse


def saliencies(weights: Tensor, curvature: Tensor) -> Tensor:
    return weights.double() ** 2 / (2 * torch.linalg.inv(curvature).diag())


def summed_updates(weights: Tensor, removed: Tensor, curvature: Tensor) -> Tensor:
    """Single-weight corrections added up; removed weights forced to zero after."""
    inverse, weights = torch.linalg.inv(curvature), weights.double()
    total = torch.zeros_like(weights)
    for q in removed.nonzero().flatten():
        total -= weights[q] / inverse[q, q] * inverse[:, q]
    return torch.where(removed, -weights, total)


def joint_update(weights: Tensor, removed: Tensor, curvature: Tensor) -> Tensor:
    """Minimiser of 1/2 d^T F d under d_Q = -w_Q, from its KKT system."""
    count, chosen = len(weights), removed.nonzero().flatten()
    select = torch.eye(count).double()[chosen]
    system = torch.zeros(count + len(chosen), count + len(chosen)).double()
    system[:count, :count] = curvature
    system[:count, count:] = select.T
    system[count:, :count] = select
    right = torch.cat([torch.zeros(count).double(), -weights.double()[chosen]])
    return torch.linalg.solve(system, right)[:count]


def greedy_update(weights: Tensor, removed: Tensor, curvature: Tensor) -> Tensor:
    """One removal after the other, each deleting its row and column of the inverse."""
    inverse, now = torch.linalg.inv(curvature), weights.double().clone()
    for q in removed.nonzero().flatten():
        now -= now[q] / inverse[q, q] * inverse[:, q]
        inverse -= torch.outer(inverse[:, q], inverse[q]) / inverse[q, q]
    return now - weights.double()


def quadratic(step: Tensor, curvature: Tensor) -> float:
    return float(step @ curvature @ step) / 2


def gradient_rows(
    model: nn.Module, names: tuple[str, ...], images: Tensor, labels: Tensor, size: int
) -> dict[str, Tensor]:
    """Gradient of the mean cross-entropy of every `size` images, one by one."""
    model.eval()
    rows = {name: [] for name in names}
    for x, y in zip(images.split(size), labels.split(size), strict=True):
        model.zero_grad()
        F.cross_entropy(model(x), y).backward()
        for name in names:
            grad = model.get_parameter(name).grad
            empty = torch.zeros_like(model.get_parameter(name))
            rows[name].append((empty if grad is None else grad).flatten().clone())
    return {name: torch.stack(found) for name, found in rows.items()}


def surviving_fit(
    inputs: Tensor, targets: Tensor, weights: Tensor, kept: Tensor, ridge: float
) -> Tensor:
    """Least squares of each channel on its kept weights, pulled to what they are.

    Inputs (positions, fan_in), targets (positions, channels), weights and kept
    (channels, fan_in); the ridge is relative to the mean square of the inputs.
    """
    inputs, targets, now = inputs.double(), targets.double(), weights.double()
    root = (ridge * inputs.square().sum(0).mean()).sqrt()
    result = torch.zeros_like(now)
    for channel, support in enumerate(kept):
        count = int(support.sum())
        rows = torch.cat([inputs[:, support], root * torch.eye(count).double()])
        right = torch.cat([targets[:, channel], root * now[channel, support]])
        result[channel, support] = torch.linalg.lstsq(rows, right).solution
    return result


def layer_inputs(layer: nn.Module, images: Tensor) -> Tensor:
    """What a linear layer or 2-d convolution sees, (groups, positions, fan_in)."""
    if isinstance(layer, nn.Linear):
        return images.reshape(1, -1, layer.in_features)
    columns = F.unfold(
        images, layer.kernel_size, layer.dilation, layer.padding, layer.stride
    )
    rows = columns.transpose(1, 2).reshape(-1, layer.groups, layer.weight[0].numel())
    return rows.transpose(0, 1)
