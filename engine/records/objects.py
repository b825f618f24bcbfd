"""Objects: what the nodes of a run are made of, each content kept once by its hash."""

import hashlib
import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError
from engine.masks import Masks
from engine.records.whole import write

LEVEL = 1  # of zlib: noise of mantissas stays noise however long one tries
Weights = dict[str, Tensor]


class Objects:
    """A folder of contents, compressed, each in a file named by its SHA-256.

    Args:
        folder: Made when the first object comes.

    Attributes:
        written: Bytes of the objects that were not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written = 0

    def put(self, content: bytes) -> str:
        """Keep a content, whole or not at all; the name to get it by.

        Raises:
            OSError: It cannot be written.
        """
        name = hashlib.sha256(content).hexdigest()
        path = self._folder / name
        if not path.exists():
            self._folder.mkdir(exist_ok=True)
            packed = zlib.compress(content, LEVEL)
            write(path, packed)
            self.written += len(packed)
        return name

    def get(self, name: str) -> bytes:
        """The content of this name.

        Raises:
            InputError: It is missing or damaged.
        """
        path = self._folder / name
        try:
            content = zlib.decompress(path.read_bytes())
        except (OSError, zlib.error) as error:
            raise _damaged(path) from error
        if hashlib.sha256(content).hexdigest() != name:
            raise _damaged(path)
        return content

    def link(self, other: "Objects", name: str) -> int:
        """Have an object of another folder, too; the bytes that had to be copied.

        Both folders name the same file where the file system allows it, so either may
        be deleted without harm to the other.

        Raises:
            InputError: It is missing there.
            OSError: It cannot be written here.
        """
        self._folder.mkdir(exist_ok=True)
        return link(other._folder / name, self._folder / name)

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
            bits = np.unpackbits(stored, count=int(np.prod(shape, dtype=int)))
            return torch.from_numpy(bits.astype(bool)).reshape(shape)
        if not len(stored):
            return torch.empty(shape, dtype=dtype)
        flat = torch.from_numpy(stored.reshape(dtype.itemsize, -1).T.flatten())
        return flat.view(dtype).reshape(shape)

    def pack(self, value: Any, masks: Masks) -> Any:
        """A state as JSON content, its tensors kept as objects.

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

    def _packed(self, weight: Tensor, mask: Tensor) -> dict[str, str]:
        return {
            "$values": self.put_tensor(weight[mask]),
            "$mask": self.put_tensor(mask),
        }


def names_in(packed: Any) -> set[str]:
    """All objects that a packed state is made of."""
    if isinstance(packed, list):
        return set().union(*map(names_in, packed))
    if not isinstance(packed, dict):
        return set()
    keys = ("$tensor", "$values", "$mask")
    own = {packed[key] for key in keys if isinstance(packed.get(key), str)}
    return own.union(*map(names_in, packed.values()))


def link(source: Path, target: Path) -> int:
    """Give a file a second name, or copy it; the bytes that had to be copied."""
    if target.exists():
        return 0
    try:
        os.link(source, target)
        return 0
    except FileNotFoundError as error:
        raise _damaged(source) from error
    except OSError:  # another disk, or a file system without such names
        partial = target.with_name(f".{target.name}-part")
        shutil.copyfile(source, partial)
        os.replace(partial, target)
        return target.stat().st_size


def _fits(value: Any, mask: Tensor | None) -> bool:
    """Whether a value is a weight that this mask leaves zeros in."""
    if mask is None or not isinstance(value, Tensor) or value is mask:
        return False
    if value.dtype == torch.bool or value.shape != mask.shape:
        return False
    return not bool(value[~mask.to(value.device)].any())


def _damaged(path: Path) -> InputError:
    return InputError(
        f"A part of the timeline is missing or damaged: {path}.",
        "Choose another node, or repeat the run.",
    )
