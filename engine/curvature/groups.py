"""Groups of neighbouring weights, and what it costs to remove some of each together."""

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.curvature.blocks import runs
from engine.errors import RunError

Best = dict[str, tuple[Tensor, Tensor]]  # float64 losses (groups,), their subsets


def neighbours(live: Tensor, size: int) -> Tensor:
    """Positions (groups, size) in a flattened weight, side by side in each row.

    A row is what one output sees, input channels fastest: the order of the matrix
    product that a layer is on hardware with sparse kernels. The last group of a row may
    have slots for nobody; these and removed weights are marked by the weight's numel.

    Args:
        live: Shaped as the weight (out, in, *kernel), True = kept.
        size: Slots per group.
    """
    numel = live.numel()
    position = torch.arange(numel, device=live.device).reshape(live.shape)
    position = position.masked_fill(~live, numel)
    rows = position.movedim(1, -1).reshape(len(live), -1)
    missing = -rows.shape[1] % size
    return F.pad(rows, (0, missing), value=numel).reshape(-1, size)


def row_length(weight: Tensor) -> int:
    """Weights that one output sees."""
    return weight.numel() // len(weight)


def subsets(size: int, count: int) -> Tensor:
    """Every way to take `count` of `size` (ways, size), True = taken."""
    ways = list(combinations(range(size), count))
    found = torch.zeros(len(ways), size, dtype=torch.bool)
    return found.scatter_(1, torch.tensor(ways), True)


def at(values: Tensor, groups: Tensor) -> Tensor:
    """Values (numel,) of each group's members, 0 in slots for nobody."""
    return torch.cat([values, values.new_zeros(1)])[groups]


def spread(values: Tensor, groups: Tensor, numel: int) -> Tensor:
    """The reverse of `at`: (numel,), 0 where no group has a member."""
    found = values.new_zeros(numel + 1)
    found[groups] = values
    return found[:-1]


def row_products(groups: Tensor, numel: int, basis: Tensor, scales: Tensor) -> Tensor:
    """B_jb d_ib B_kb, summed over b, for members ij and ik of a group in row i.

    Args:
        groups: Positions (groups, size) in a flattened weight, `numel` for nobody.
        numel: Of the weight.
        basis: B (convolution groups, in, parts).
        scales: d of each row of the weight (rows, parts), or one for all (rows, 1).

    Returns:
        (groups, size, size), 0 for nobody.
    """
    inside, size = groups < numel, groups.shape[1]
    width, parts = basis.shape[1:]
    places = groups.masked_fill(~inside, 0)
    row = places.amax(1) // width
    home = row // (len(scales) // len(basis))
    found = basis.new_empty(*groups.shape, size)
    for run in runs(len(groups), 16 * size * parts):
        some = basis[home[run, None], places[run] % width] * inside[run, :, None]
        found[run] = some * scales[row[run], None] @ some.mT
    return found


def joint_losses(values: Tensor, blocks: Tensor, taken: Tensor) -> Tensor:
    """1/2 w_S^T (B_SS)^-1 w_S for every group and subset S (groups, subsets).

    Optimal Brain Surgeon's loss of a set (Hassibi and Stork, 1993), as oBERT (Kurtic et
    al., 2022) ranks blocks of 4 and enumerates N:M.

    Args:
        values: w (groups, size) float64, 0 in slots for nobody.
        blocks: B = F^-1 among the members (groups, size, size), 0 for nobody.
        taken: (subsets, size) bool.

    Raises:
        RunError: Rounding left a group without an inverse.
    """
    losses = values.new_empty(len(values), len(taken))
    for run in runs(len(values), 3 * 8 * values.shape[1] ** 2):
        for number, chosen in enumerate(taken):
            members = chosen.nonzero().squeeze(1).to(blocks.device)
            value = values[run][:, members, None]
            factor = _factor(blocks[run][:, members][:, :, members])
            half = torch.linalg.solve_triangular(factor, value, upper=False)
            losses[run, number] = half.square().sum((1, 2)) / 2
    return losses


def joint_pulls(values: Tensor, blocks: Tensor) -> Tensor:
    """B^-1 w of every group (groups, size); see `joint_losses`."""
    found = torch.empty_like(values)
    for run in runs(len(values), 3 * 8 * values.shape[1] ** 2):
        factor = _factor(blocks[run])
        found[run] = torch.cholesky_solve(values[run, :, None], factor).squeeze(2)
    return found


def _factor(blocks: Tensor) -> Tensor:
    """Cholesky factors; slots for nobody stand alone."""
    nobody = blocks.diagonal(dim1=1, dim2=2) == 0
    blocks = blocks + torch.diag_embed(nobody.to(blocks.dtype))
    factor, info = torch.linalg.cholesky_ex(blocks)
    if bool(info.any()):
        raise RunError(
            "The curvature of a group of weights has no usable inverse.",
            "Raise the damping.",
        )
    return factor


def cheapest(
    losses: Tensor, taken: Tensor, groups: Tensor, numel: int
) -> tuple[Tensor, Tensor]:
    """Least loss of each group (groups,) and which of the subsets has it.

    Slots for nobody are zero already, so only subsets with all of them are looked at;
    a group without such a subset has an infinite loss.
    """
    zero = groups == numel
    taken = taken.to(losses.device)
    fits = torch.stack([(subset | ~zero).all(1) for subset in taken], 1)
    least = losses.masked_fill(~fits, torch.inf).min(1)
    return least.values, least.indices
