"""Reading arrays from an .npz file that nobody vouched for."""

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import psutil
from numpy.lib import format as npy

from engine.errors import InputError

BOMB_BYTES = 1024**3  # arrays beyond this ...
BOMB_RATIO = 200  # ... that were packed this small hold no images
LONGEST = 64 * 1024  # bytes read in search of a header
HINT = "Save it again with numpy.savez(file, x=images, y=labels)."


@dataclass(frozen=True)
class Header:
    """What an array's header promises."""

    shape: tuple[int, ...]
    dtype: np.dtype


class Archive:
    """The arrays of an .npz file by name; headers first, contents when asked for.

    Raises:
        InputError: The file is missing, no archive of arrays, or larger than memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.headers: dict[str, Header] = {}
        with self._opened() as archive:
            for item in archive.infolist():
                if item.filename.endswith(".npy"):
                    name = item.filename.removesuffix(".npy")
                    with archive.open(item) as file:
                        self.headers[name] = self._header(name, file, item)

    def read(self, name: str) -> np.ndarray:
        """One array.

        Raises:
            InputError: The file is damaged, or the array holds Python objects.
        """
        with self._opened() as archive, archive.open(f"{name}.npy") as file:
            return npy.read_array(file, allow_pickle=False)

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except InputError:
            raise
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read: {error.strerror or error}.",
                "Check data.file.",
            ) from error
        except Exception as error:  # zip, zlib and numpy have their own for damage
            raise InputError(
                f"{self.path} is damaged or not an .npz file.", HINT,
                (f"{type(error).__name__}: {error}",),
            ) from error  # fmt: skip

    def _header(self, name: str, file: IO[bytes], item: zipfile.ZipInfo) -> Header:
        start = io.BytesIO(file.read(LONGEST))  # a header may claim to be of any length
        version = npy.read_magic(start)
        read = (
            npy.read_array_header_1_0
            if version == (1, 0)
            else npy.read_array_header_2_0
        )
        shape, _, dtype = read(start)
        if dtype.hasobject:
            raise InputError(
                f"{name} in {self.path} holds Python objects, not numbers.", HINT
            )
        size = math.prod(shape) * dtype.itemsize
        if not dtype.itemsize or size != item.file_size - start.tell():
            raise InputError(f"{name} in {self.path} is not as long as it says.", HINT)
        packed = max(item.compress_size, 1)
        available = psutil.virtual_memory().available
        if size > available // 2 or (size > BOMB_BYTES and size > BOMB_RATIO * packed):
            raise InputError(
                f"{name} in {self.path} unpacks to {size / 1024**3:.1f} GB, from "
                f"{packed / 1024**2:.1f} MB; {available / 1024**3:.1f} GB of memory "
                "are free.",
                "Give fewer images, or an image folder, which is read piece by piece.",
            )
        return Header(shape, dtype)
