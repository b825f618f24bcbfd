"""Packs: files of what nodes are made of; a content that is there is not kept again."""

import hashlib
import json
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from engine.masks import Masks
from engine.records.whole import write

LEVEL = 1  # of zlib: noise of mantissas stays noise however long one tries


class Packs:
    """Contents by their SHA-256, compressed, many in a file behind a line of places.

    New contents wait until they are written as a file of their own, so that keeping a
    network of a hundred tensors takes one file. A file that cannot be read is passed
    by: what was in it is missing, or kept again.

    Args:
        files: Those to look in.
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._places: dict[str, tuple[Path, int, int]] = {}
        self._waiting: dict[str, bytes] = {}
        for path in files:
            self._read(path)

    def put(self, content: bytes) -> str:
        """Have a content written next, unless it is there; the name to get it by."""
        name = hashlib.sha256(content).hexdigest()
        if name not in self._places and name not in self._waiting:
            self._waiting[name] = zlib.compress(content, LEVEL)
        return name

    def write(self, path: Path) -> int:
        """Write what is new, whole or not at all; its bytes.

        Raises:
            OSError: It cannot be written.
        """
        places, end = {}, 0
        for name, content in self._waiting.items():
            places[name] = (end, len(content))
            end += len(content)
        head = json.dumps(places, separators=(",", ":")).encode() + b"\n"
        write(path, head + b"".join(self._waiting.values()))
        self._waiting.clear()
        self._add(path, places, len(head))
        return len(head) + end

    def get(self, name: str) -> bytes:
        """The written content of this name.

        Raises:
            InputError: It is missing or damaged.
        """
        if name not in self._places:
            raise _damaged("A part of it is in none of its files")
        path, start, size = self._places[name]
        try:
            with path.open("rb") as file:
                file.seek(start)
                content = zlib.decompress(file.read(size))
        except (OSError, zlib.error) as error:
            raise _damaged(f"{path} cannot be read") from error
        if hashlib.sha256(content).hexdigest() != name:
            raise _damaged(f"{path} holds something else")
        return content

    def put_tensor(self, tensor: Tensor) -> str:
        """Keep a tensor, bit for bit: its type and shape, then its bytes by place.

        Bytes of the same place stand together, since the exponents of weights are
        alike and their mantissas are not; of truth values, eight share a byte.
        """
        tensor = tensor.detach().cpu().contiguous()
        kind = str(tensor.dtype).removeprefix("torch.")
        head = json.dumps([kind, *tensor.shape]).encode() + b"\n"
        if tensor.dtype == torch.bool:
            return self.put(head + np.packbits(tensor.numpy()).tobytes())
        flat = tensor.reshape(-1).view(torch.uint8).numpy()
        places = flat.reshape(-1, tensor.element_size()).T
        return self.put(head + places.tobytes())

    def get_tensor(self, name: str) -> Tensor:
        """The tensor of this name, on the processor.

        Raises:
            InputError: It is missing or damaged.
        """
        head, _, content = self.get(name).partition(b"\n")
        kind, *shape = json.loads(head)
        dtype, stored = getattr(torch, kind), np.frombuffer(content, np.uint8)
        if dtype == torch.bool:
            bits = np.unpackbits(stored, count=math.prod(shape))
            return torch.from_numpy(bits.astype(bool)).reshape(shape)
        if not len(stored):
            return torch.empty(shape, dtype=dtype)
        flat = torch.from_numpy(stored.reshape(dtype.itemsize, -1).T.flatten())
        return flat.view(dtype).reshape(shape)

    def pack(self, value: Any, masks: Masks) -> Any:
        """A state as JSON content, its tensors kept by their names.

        Of a tensor that has a mask of its name and zeros wherever that removes, only
        the mask and the surviving values are kept.
        """
        if isinstance(value, Tensor):
            return {"$tensor": self.put_tensor(value)}
        if isinstance(value, tuple):
            return {"$tuple": [self.pack(each, masks) for each in value]}
        if isinstance(value, list):
            return [self.pack(each, masks) for each in value]
        if isinstance(value, dict):
            return {
                name: self._packed(each, masks[name])
                if _fits(each, masks.get(name))
                else self.pack(each, masks)
                for name, each in value.items()
            }
        return value

    def unpack(self, value: Any) -> Any:
        """The state that was packed.

        Raises:
            InputError: A tensor is missing or damaged.
        """
        if isinstance(value, list):
            return [self.unpack(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$tuple" in value:
            return tuple(self.unpack(value["$tuple"]))
        if "$tensor" in value:
            return self.get_tensor(value["$tensor"])
        if "$values" in value:
            values, mask = map(self.get_tensor, (value["$values"], value["$mask"]))
            return values.new_zeros(mask.shape).masked_scatter_(mask, values)
        return {name: self.unpack(each) for name, each in value.items()}

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                head = file.readline()
            self._add(path, json.loads(head), len(head))
        except (OSError, ValueError, TypeError, AttributeError):
            return

    def _add(self, path: Path, places: dict[str, Any], head: int) -> None:
        for name, (start, size) in places.items():
            self._places[name] = (path, head + start, size)

    def _packed(self, weight: Tensor, mask: Tensor) -> dict[str, str]:
        return {
            "$values": self.put_tensor(weight[mask]),
            "$mask": self.put_tensor(mask),
        }


def _fits(value: Any, mask: Tensor | None) -> bool:
    """Whether a value is a weight that this mask leaves zeros in."""
    if mask is None or not isinstance(value, Tensor) or value is mask:
        return False
    if value.dtype == torch.bool or value.shape != mask.shape:
        return False
    return not bool(value[~mask.to(value.device)].any())


def _damaged(what: str) -> InputError:
    return InputError(
        f"This moment of the timeline is missing or damaged: {what}.",
        "Choose another node, or repeat the run.",
    )
