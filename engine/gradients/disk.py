"""Disk: a matrix in a nameless temporary file, of which columns are read."""

import os
import tempfile
import weakref
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import RunError


class Disk:
    """Zeros until rows are written.

    The file goes when this object or the process does, however that ends. Plain reads
    and writes, not a memory map, keep it out of the resident memory.

    Args:
        folder: On the disk to use.
        shape: (rows, columns).
        dtype: Of the numbers.
        pinned: Read into memory from which a GPU can copy by itself.

    Raises:
        RunError: The disk has no room.
    """

    def __init__(
        self,
        folder: Path,
        shape: tuple[int, int],
        dtype: torch.dtype,
        pinned: bool = False,
    ) -> None:
        self.shape, self.dtype, self._pinned = shape, dtype, pinned
        self._folder = folder
        self._width = shape[1] * dtype.itemsize
        try:
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
            weakref.finalize(self, self._file.close)
            size = shape[0] * self._width
            self._file.truncate(size)
            if hasattr(os, "posix_fallocate"):  # learn now that the disk is too small
                os.posix_fallocate(self._file.fileno(), 0, size)
        except OSError as error:
            raise self._broken(error) from error

    def __setitem__(self, rows: slice, values: Tensor) -> None:
        """Write whole rows from the first of `rows` on."""
        try:
            self._file.seek(rows.start * self._width)
            self._file.write(_bytes(values.contiguous().cpu()))
        except OSError as error:
            raise self._broken(error) from error

    def __getitem__(self, place: tuple[slice, slice]) -> Tensor:
        """All rows of some columns, in the memory of the CPU; place is [:, columns]."""
        columns = place[1]
        found = torch.empty(
            (self.shape[0], columns.stop - columns.start),
            dtype=self.dtype,
            pin_memory=self._pinned,
        )
        whole = found.shape == self.shape
        try:
            for row, part in enumerate((found,) if whole else found):
                start = columns.start * self.dtype.itemsize
                self._file.seek(row * self._width + start)
                self._file.readinto(_bytes(part))
        except OSError as error:
            raise RunError(
                f"Gradients in {self._folder} cannot be read again: {error.strerror}.",
                "Check this disk, or let another hold the run's folder.",
            ) from error
        return found

    def _broken(self, error: OSError) -> RunError:
        size = self.shape[0] * self._width / 2**30
        return RunError(
            f"{size:.1f} GB of gradients cannot be kept in {self._folder}: "
            f"{error.strerror}.",
            "Free disk space, lower estimator.samples or raise machine.memory.",
        )


def _bytes(values: Tensor) -> memoryview:
    """The storage of a contiguous CPU tensor."""
    return memoryview(values.reshape(-1).view(torch.uint8).numpy())
