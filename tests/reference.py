"""Slow, dense, obviously right float64 versions of the formulas, to test against."""

from collections.abc import Callable
from itertools import combinations, product

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel


def fisher(rows: Tensor, damping: float) -> Tensor:
    """Damping I + 1/N sum g g^T."""
    rows = rows.double()
    return damping * torch.eye(rows.shape[1]).double() + rows.T @ rows / len(rows)


def block_fisher(
    rows: Tensor, damping: float, size: int, live: Tensor | None = None
) -> Tensor:
    """The same with every entry between two blocks of neighbours set to zero.

    A block is `size` positions, or as many live weights.
    """
    place = torch.arange(rows.shape[1]) if live is None else live.cumsum(0) - 1
    block = place // (size or rows.shape[1])
    return fisher(rows, damping) * (block[:, None] == block[None])


def woodbury(rows: Tensor, damping: float) -> Tensor:
    """Inverse of `fisher` by N rank-one steps."""
    inverse = torch.eye(rows.shape[1]).double() / damping
    for g in rows.double():
        left = inverse @ g
        inverse = inverse - torch.outer(left, left) / (len(rows) + g @ left)
    return inverse


def mfac(rows: Tensor, damping: float) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Diagonal of the inverse of `fisher`, and its product, by M-FAC's recursion."""
    found: list[tuple[Tensor, Tensor]] = []

    def solve(x: Tensor) -> Tensor:
        return x / damping - sum((v * (v @ x) / q for v, q in found), 0 * x)

    for g in rows.double():
        v = solve(g)
        found.append((v, len(rows) + g @ v))
    diagonal = 1 / damping - sum(v**2 / q for v, q in found)
    return diagonal, solve


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


def set_loss(weights: Tensor, members: list[int], curvature: Tensor) -> float:
    """Least 1/2 d^T F d that takes the members to zero."""
    removed = torch.zeros(len(weights), dtype=torch.bool)
    removed[members] = True
    return quadratic(joint_update(weights, removed, curvature), curvature)


def within(inverse: Tensor, groups: Tensor) -> Tensor:
    """Entries of F^-1 among the members of each group, picked one by one."""
    found = torch.zeros(*groups.shape, groups.shape[1]).double()
    for number, group in enumerate(groups.tolist()):
        for (i, p), (j, q) in product(enumerate(group), repeat=2):
            if p < len(inverse) and q < len(inverse):
                found[number, i, j] = inverse[p, q]
    return found


def greedy_update(weights: Tensor, removed: Tensor, curvature: Tensor) -> Tensor:
    """One removal after the other, each deleting its row and column of the inverse."""
    inverse, now = torch.linalg.inv(curvature), weights.double().clone()
    for q in removed.nonzero().flatten():
        now -= now[q] / inverse[q, q] * inverse[:, q]
        inverse -= torch.outer(inverse[:, q], inverse[q]) / inverse[q, q]
    return now - weights.double()


def greedy_elimination(weights: Tensor, curvature: Tensor) -> list[tuple[int, float]]:
    """(weight, loss of its step) in the order in which the cheapest always goes next.

    Every step inverts what is left of the matrix anew.
    """
    now, left, steps = weights.double().clone(), list(range(len(weights))), []
    while left:
        inverse = torch.linalg.inv(curvature[left][:, left])
        costs = now[left] ** 2 / (2 * inverse.diag())
        k = int(costs.argmin())
        steps.append((left[k], float(costs[k])))
        now[left] -= now[left[k]] / inverse[k, k] * inverse[:, k]
        del left[k]
    return steps


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


def hessian(
    model: nn.Module, names: tuple[str, ...], images: Tensor, labels: Tensor
) -> Tensor:
    """Of the mean cross-entropy by these weights as one vector."""
    model.eval()
    weights = {name: model.get_parameter(name).detach() for name in names}
    sizes = [weight.numel() for weight in weights.values()]

    def loss(vector: Tensor) -> Tensor:
        parts = zip(weights.items(), vector.split(sizes), strict=True)
        given = {name: part.reshape(w.shape) for (name, w), part in parts}
        return F.cross_entropy(functional_call(model, given, images), labels)

    start = torch.cat([weight.flatten() for weight in weights.values()])
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernel has no second derivative
        return torch.autograd.functional.hessian(loss, start)


def kronecker_factors(
    model: nn.Module, layer: nn.Module, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """A = mean over images of sum over positions, G = mean over both, one by one.

    (groups, in, in) and (groups, out, out), each group of a convolution by itself.
    """
    seen: list[tuple[Tensor, Tensor]] = []

    def keep(module: nn.Module, args: tuple, output: Tensor) -> Tensor:
        output.retain_grad()
        seen.append((args[0].detach(), output))
        return output.clone()  # for what follows in place

    hook, groups = layer.register_forward_hook(keep), getattr(layer, "groups", 1)
    a, g = [[] for _ in range(groups)], [[] for _ in range(groups)]
    model.eval()
    for x, y in zip(images.split(1), labels.split(1), strict=True):
        F.cross_entropy(model(x), y).backward()
        inputs, outputs = seen.pop()
        if isinstance(layer, nn.Conv2d):
            inputs = F.unfold(
                inputs, layer.kernel_size, layer.dilation, layer.padding, layer.stride
            )[0].T
            slopes = outputs.grad.flatten(2)[0].T
        else:
            inputs, slopes = inputs.flatten(0, -2), outputs.grad.flatten(0, -2)
        for group in range(groups):
            own = inputs.chunk(groups, 1)[group]  # channels of a group are neighbours
            a[group].append(sum(torch.outer(i, i) for i in own))
            own = slopes.chunk(groups, 1)[group]
            g[group].append(sum(torch.outer(i, i) for i in own) / len(own))
    hook.remove()
    return tuple(torch.stack([sum(s) / len(s) for s in side]) for side in (a, g))


def factored_damping(a: Tensor, g: Tensor, damping: float, balanced: bool) -> Tensor:
    """The damped Fisher G (x) A in full, as the K-FAC pruner of WoodFisher damps it."""
    pi = (a.trace() / len(a)) / (g.trace() / len(g)) if balanced else a.new_ones(())
    left = g + (damping / pi).sqrt() * torch.eye(len(g)).double()
    right = a + (damping * pi).sqrt() * torch.eye(len(a)).double()
    return torch.kron(left, right)


def structured_inverse(scale: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """FishLeg's Q in full, diag(a) (R^T R (x) L L^T) diag(a), a block per group."""
    blocks = [
        a.flatten().diag() @ torch.kron(r.T @ r, c @ c.T) @ a.flatten().diag()
        for a, r, c in zip(scale.double(), left.double(), right.double(), strict=True)
    ]
    return torch.block_diag(*blocks)


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


def weighted_fit(
    inputs: Tensor,
    targets: Tensor,
    weights: Tensor,
    kept: Tensor,
    ridge: float,
    metric: Tensor,
) -> Tensor:
    """The same for all channels at once, errors between them measured by the metric.

    One system of every channel at every position, (channels, channels) metric.
    """
    inputs, targets, now = inputs.double(), targets.double(), weights.double()
    root = (ridge * inputs.square().sum(0).mean()).sqrt()
    half = torch.linalg.cholesky(metric).T  # half^T half is the metric
    live = kept.flatten()
    pull = root * torch.eye(int(live.sum())).double()
    rows = torch.cat([torch.kron(half, inputs.contiguous())[:, live], pull])
    right = torch.cat([(half @ targets.T).flatten(), root * now.flatten()[live]])
    result = torch.zeros_like(now).flatten()
    result[live] = torch.linalg.lstsq(rows, right).solution
    return result.reshape(now.shape)


def layer_inputs(layer: nn.Module, images: Tensor) -> Tensor:
    """What a linear layer or 2-d convolution sees, (groups, positions, fan_in)."""
    if isinstance(layer, nn.Linear):
        return images.reshape(1, -1, layer.in_features)
    columns = F.unfold(
        images, layer.kernel_size, layer.dilation, layer.padding, layer.stride
    )
    rows = columns.transpose(1, 2).reshape(-1, layer.groups, layer.weight[0].numel())
    return rows.transpose(0, 1)


def cheapest_removal(scores, sizes, low, high, count):
    """Which `count` weights cost least in sum, each layer between its bounds.

    Tries every set. `scores` holds all layers end to end, `sizes` their lengths, `low`
    and `high` how many each may lose. Returns the removed indices, or None if no set
    fits.
    """
    layer = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    low, high = torch.tensor(low), torch.tensor(high)
    best, cheapest = None, float("inf")
    for chosen in combinations(range(len(scores)), count):
        lost = torch.bincount(layer[list(chosen)], minlength=len(sizes))
        fits = bool(((low <= lost) & (lost <= high)).all())
        cost = float(scores[list(chosen)].sum())
        if fits and cost < cheapest:
            best, cheapest = chosen, cost
    return best
