"""Small parts of a block inverse: what the members of each group have in common."""

import torch
from torch import Tensor

from engine.curvature.blocks import Blocks


def within(blocks: Blocks, places: Tensor) -> Tensor:
    """Entries of F^-1 among the members of each group (groups, size, size).

    Members in different blocks do not interact; theirs are 0, as those of nobody.

    Args:
        blocks: Of one layer.
        places: Block times width plus slot (groups, size); -1 is nobody.
    """
    sets = _Sets(places, blocks.width)
    found = blocks.damping.new_zeros(*places.shape, places.shape[1])
    counts = torch.bincount(sets.block, minlength=len(blocks.damping))
    ends = counts.cumsum(0)
    starts = ends - counts
    for part in blocks.parts():
        mine = slice(int(starts[part.start]), int(ends[part.stop - 1]))
        if mine.start == mine.stop:
            continue
        home = sets.block[mine]
        number = torch.arange(mine.start, mine.stop, device=home.device) - starts[home]
        row, most = home - part.start, int(counts[part].max())
        slots = places.new_zeros(part.stop - part.start, most, places.shape[1])
        slots[row, number] = sets.slots[mine]
        inside = sets.inside[mine]
        entries = blocks.among(part, slots)[row, number]
        entries = entries * (inside[:, :, None] & inside[:, None])
        found.index_add_(0, sets.group[mine], entries)
    return found


class _Sets:
    """The members of one group in one block, sorted by block.

    Attributes:
        group, block: (sets,).
        inside: Members of the group that are in this block (sets, size).
        slots: Their slots, else 0.
    """

    def __init__(self, places: Tensor, width: int) -> None:
        somebody, places = places >= 0, places.clamp_min(0)
        block, slot = places // width, places % width
        pairs = somebody[:, :, None] & somebody[:, None]
        same = pairs & (block[:, :, None] == block[:, None])
        opens = somebody & ~same.tril(-1).any(2)  # first of its group in its block
        group, member = opens.nonzero(as_tuple=True)
        order = block[group, member].argsort(stable=True)
        self.group, member = group[order], member[order]
        self.block = block[self.group, member]
        self.inside = same[self.group, member]
        self.slots = slot[self.group].masked_fill(~self.inside, 0)
