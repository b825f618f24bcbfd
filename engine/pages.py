"""Pages: gradient rows on disk, for networks whose gradients exceed the memory."""

import os
import tempfile
import weakref
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import RunError

PAGE = 128 * 2**20  # bytes of gradients read at once; one block at least


class Pages:
    """The rows (N, numel) of one layer, in a nameless temporary file.

    The file goes when this object or the process does, however that ends. Plain reads
    and writes, not a memory map, keep the pages out of the resident memory.

    Args:
        folder: On the disk to use.
        samples: Rows (N).
        weight: Gives width, dtype and device of the rows.
        thrift: Halves what is read at once so often.

    Attributes:
        page: Bytes that should be read at once.

    Raises:
        RunError: The disk has no room.
    """

    def __init__(
        self, folder: Path, samples: int, weight: Tensor, thrift: int = 0
    ) -> None:
        self.page = PAGE >> thrift
        self.shape = (samples, weight.numel())
        self.dtype, self.device = weight.dtype, weight.device
        self._folder = folder
        self._width = weight.numel() * weight.element_size()
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
            size = samples * self._width
            self._file.truncate(size)  # rows that nobody writes are zero
            if hasattr(os, "posix_fallocate"):  # learn now that the disk is too small
                os.posix_fallocate(self._file.fileno(), 0, size)
        except OSError as error:
            raise self._broken(error) from error

    def __setitem__(self, rows: slice | int, values: Tensor) -> None:
        """Write whole rows from `rows` on."""
        start = rows if isinstance(rows, int) else rows.start
        try:
            self._file.seek(start * self._width)
            self._file.write(_bytes(values.to(self.dtype).contiguous().cpu()))
        except OSError as error:
            raise self._broken(error) from error

    def read(self, columns: slice) -> Tensor:
        """(N, columns) on the device."""
        found = torch.empty(
            (self.shape[0], columns.stop - columns.start), dtype=self.dtype
        )
        size = found.element_size()
        whole = found.shape == self.shape
        try:
            for row, part in enumerate((found,) if whole else found):
                self._file.seek(row * self._width + columns.start * size)
                self._file.readinto(_bytes(part))
        except OSError as error:
            raise self._broken(error) from error
        return found.to(self.device)

    def _broken(self, error: OSError) -> RunError:
        size = self.shape[0] * self._width / 2**30
        return RunError(
            f"A page of {size:.1f} GB of gradients cannot be kept in {self._folder}: "
            f"{error.strerror}.",
            "Free disk space, lower estimator.samples or raise machine.memory.",
        )


def _bytes(values: Tensor) -> memoryview:
    """The storage of a contiguous CPU tensor."""
    return memoryview(values.reshape(-1).view(torch.uint8).numpy())
