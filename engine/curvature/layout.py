"""Layout: where the live weights of a layer sit in its blocks of neighbours."""

from itertools import pairwise

import torch
from torch import Tensor


class LiveWeights(int):
    """A block size that counts live weights; a plain one counts positions."""


class Layout:
    """Blocks of `block_size` consecutive weights of a flattened layer, live ones only.

    Removed weights have zero gradients and decouple, so leaving them out changes
    nothing but the cost. Short blocks are filled with slots that belong to no weight.

    Args:
        live: (numel,) bool, True = kept.
        block_size: Of positions, or of `LiveWeights`; 0 takes the whole layer as one
            block.
        width: Least slots per block; the blocks of a page are as wide as the layer's.

    Attributes:
        index: (blocks, width) position in the layer; numel marks an empty slot.
    """

    def __init__(self, live: Tensor, block_size: int, width: int = 1) -> None:
        self.numel = len(live)
        size = min(block_size or self.numel, self.numel)
        position = live.nonzero().squeeze(1)
        order = torch.arange(len(position), device=live.device)
        by_order = isinstance(size, LiveWeights)
        block = (order if by_order else position) // size
        extent = max(len(position), 1) if by_order else self.numel
        counts = torch.bincount(block, minlength=-(-extent // size))
        first = counts.cumsum(0) - counts
        slot = order - first[block]
        width = max(int(counts.max()), width)
        self.index = position.new_full((len(counts), width), self.numel)
        self.index[block, slot] = position
        self._whole = len(position) == self.numel == self.index.numel()

    @property
    def filled(self) -> Tensor:
        """(blocks, width) True where a slot belongs to a weight."""
        return self.index < self.numel

    def gather(self, values: Tensor, fill: float = 0) -> Tensor:
        """(numel,) to (blocks, width), empty slots filled."""
        if self._whole:
            return values.reshape(self.index.shape)
        return torch.cat([values, values.new_full((1,), fill)])[self.index]

    def gather_rows(self, rows: Tensor) -> Tensor:
        """(N, numel) to (blocks, N, width), empty slots zero; a view where possible.

        Rows of the live weights alone (N, live) will do as well.
        """
        blocks, width = self.index.shape
        if rows.shape[1] == self.numel and not self._whole:
            columns = self.index.clamp(max=self.numel - 1).reshape(-1)
            found = rows[:, columns].reshape(-1, blocks, width).transpose(0, 1)
            return found.mul_(self.filled[:, None])
        if rows.shape[1] < blocks * width:
            live, rows = rows, rows.new_zeros(len(rows), blocks * width)
            rows[:, self.filled.reshape(-1)] = live
        return rows.reshape(-1, blocks, width).transpose(0, 1)

    def places(self) -> Tensor:
        """Block times width plus slot of every weight (numel + 1,); -1 for no slot."""
        found = self.index.new_full((self.numel + 1,), -1)
        found[self.index] = torch.arange(
            self.index.numel(), device=found.device
        ).reshape(self.index.shape)
        found[-1] = -1
        return found

    def scatter(self, values: Tensor, fill: float = 0) -> Tensor:
        """(blocks, width) to (numel,); weights that are not live get `fill`."""
        out = values.new_full((self.numel + 1,), fill)
        out[self.index] = values
        return out[:-1]


def runs_of_blocks(live: Tensor, block_size: int, count: int) -> list[slice]:
    """The positions of every `count` blocks, which share none; see `Layout`.

    Removed weights between two blocks of `LiveWeights` are with the former.
    """
    numel = len(live)
    step = max(min(block_size or numel, numel) * count, 1)
    if isinstance(block_size, LiveWeights):
        inner = live.nonzero().squeeze(1)[step::step].tolist()
    else:
        inner = range(step, numel, step)
    return [slice(*ends) for ends in pairwise((0, *inner, numel))]
