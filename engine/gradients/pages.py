"""Pages: gradient rows kept in half precision or on disk, read by runs of columns."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.gradients.disk import Disk

PAGE = 128 * 2**20  # bytes of gradients read at once; one block at least
PART = 8  # of a page is read at once where only some columns of it are kept
TOP = 14  # power of two that the largest entry of a row in half precision stays below


@dataclass(frozen=True)
class Storage:
    """Where the gradients of a step are kept, and how exactly.

    Attributes:
        folder: On whose disk; None is the memory of the weights' device.
        half: In half precision: each row is scaled by a power of two so that nothing
            overflows. Entries are rounded by at most 2^-11 of their size, those smaller
            than 2^-28 of the largest in their row by 2^-39 of that.
    """

    folder: Path | None = None
    half: bool = False

    @property
    def paged(self) -> bool:
        """Whether rows are read page by page rather than held as they are."""
        return self.half or self.folder is not None

    @property
    def place(self) -> str:
        """In words."""
        where = "in memory" if self.folder is None else "on the disk"
        return f"{where} in half precision" if self.half else where


MEMORY = Storage()


class Pages:
    """The rows (N, numel) of one layer, kept as a `Storage` says.

    Args:
        storage: Where and how exactly.
        samples: Rows (N); those that nobody writes are zero.
        weight: Gives width, dtype and device of the rows.
        thrift: Halves what is read at once so often.

    Attributes:
        page: Bytes that should be read at once.

    Raises:
        RunError: The disk has no room.
    """

    def __init__(
        self, storage: Storage, samples: int, weight: Tensor, thrift: int = 0
    ) -> None:
        self.page = PAGE >> thrift
        self.shape = (samples, weight.numel())
        self.dtype, self.device = weight.dtype, weight.device
        kept = torch.float16 if storage.half else weight.dtype
        self._scales = weight.new_ones(samples, 1) if storage.half else None
        copied = storage.folder is not None and weight.is_cuda
        self._copies = torch.cuda.Stream(weight.device) if copied else None
        if storage.folder is None:
            self._rows = weight.new_zeros(self.shape, dtype=kept)
        else:
            self._rows = Disk(storage.folder, self.shape, kept, pinned=copied)

    def __setitem__(self, rows: slice | int, values: Tensor) -> None:
        """Write whole rows."""
        values = values.to(self.dtype).reshape(-1, self.shape[1])
        if isinstance(rows, int):
            rows = slice(rows, rows + 1)
        if self._scales is not None:
            self._scales[rows] = scale = _scales(values)
            values = values / scale
        self._rows[rows] = values.to(self._rows.dtype)

    def read(self, columns: slice, live: Tensor | None = None) -> Tensor:
        """(N, columns) on the device; a GPU goes on with its work meanwhile.

        Args:
            columns: A run of them.
            live: (columns,) bool, which of them are wanted; None is all. They may be
                few in a long run, so no more than part of a page is read at once.
        """
        if live is None or live.all():
            return self._fetch(columns)
        live = live.to(self.device)
        found = torch.empty(
            self.shape[0], int(live.sum()), dtype=self.dtype, device=self.device
        )
        each, start = self.shape[0] * self.dtype.itemsize, 0
        for part in live.split(max(1, self.page // PART // each)):
            end = columns.start + len(part)
            if count := int(part.sum()):
                rows = self._fetch(slice(columns.start, end))
                found[:, start : start + count] = rows[:, part]
            columns, start = slice(end, columns.stop), start + count
        return found

    def _fetch(self, columns: slice) -> Tensor:
        if self._copies is None:
            return self._read(columns)
        with torch.cuda.stream(self._copies):
            found = self._read(columns)
        self._copies.synchronize()
        found.record_stream(torch.cuda.current_stream(self.device))
        return found

    def _read(self, columns: slice) -> Tensor:
        found = self._rows[:, columns]
        if self._scales is None:
            return found.to(self.device, self.dtype, non_blocking=True)
        found = found.to(self.device, non_blocking=True)
        return found.to(self.dtype, copy=True).mul_(self._scales)


def _scales(rows: Tensor) -> Tensor:
    """Powers of two (rows, 1) that bring each row's largest entry below 2^TOP."""
    largest = rows.abs().amax(1, keepdim=True)
    usable = largest.isfinite() & (largest > 0)
    power = torch.where(usable, largest, 1.0).log2().ceil().sub(TOP)
    least = math.log2(torch.finfo(rows.dtype).tiny)  # below, a power of two loses bits
    return power.clamp_min(least).exp2()
