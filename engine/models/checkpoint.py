"""Reading a checkpoint file that nobody vouched for into named tensors."""

import argparse
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import InputError

NESTED = (
    "state_dict", "model_state_dict", "model", "net", "network", "weights", "params",
    "state_dict_ema", "model_ema", "ema",
)  # fmt: skip
SAVE = "Save it with torch.save(model.state_dict(), file)."
NOT_ONE = "Choose a .pth, .pt or .safetensors file of weights."
CODE = re.compile(r"nsupported (?:global|class|GLOBAL)|Trying to (?:call|instantiate)")
GLOBAL = re.compile(r"GLOBAL (\S+)")
DEEPEST = 3  # keys above the weights
UNPACKED = 20  # times its own size is what a checkpoint file may unpack to


@dataclass(frozen=True)
class Stored:
    """What a checkpoint file holds.

    Attributes:
        tensors: On the CPU, keyed as in the file.
        under: The key of the file they were found under; empty when bare.
        others: Further keys that hold weights and were not taken.
        masked: Weights multiplied from a pair `x_orig` and `x_mask`.
    """

    tensors: dict[str, Tensor]
    under: str = ""
    others: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


def read(path: Path) -> Stored:
    """The weights in a .pth, .pt or .safetensors file; never runs code from it.

    Raises:
        InputError: It is missing, empty, damaged, no checkpoint, or contains code.
    """
    _check_file(path)
    if path.suffix.lower() == ".safetensors":
        stored = Stored(_safetensors(path))
    else:
        stored = _weights_in(_unpickled(path), path)
    for name, tensor in stored.tensors.items():
        _check_tensor(path, name, tensor)
    return _multiplied(stored)


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(
            f"Cannot read the checkpoint {path}: {error.strerror}.",
            "Check the path (model.checkpoint).",
        ) from error
    if size == 0:
        raise InputError(f"The checkpoint {path} is empty.", "Copy it again.")


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path, device="cpu")
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} is damaged or not a safetensors file.", NOT_ONE, (str(error),)
        ) from error


def _unpickled(path: Path) -> Any:
    """torch.load restricted to tensors, plain values and a few harmless holders."""
    _refuse_bomb(path)
    try:
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols and TorchScript
            return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # damaged files raise KeyError, EOFError and others
        raise _refusal(path, str(error)) from error


def _harmless() -> list:
    """Training loops leave numpy scores and argparse settings beside the weights."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in "?bBhHiIlLqQefdU"}
    return [
        argparse.Namespace, np.dtype, *kinds, scalar,
        (scalar, "numpy.core.multiarray.scalar"),
    ]  # fmt: skip


def _refusal(path: Path, reason: str) -> InputError:
    if "TorchScript" in reason:
        return InputError(
            f"{path} is a TorchScript archive, not a checkpoint.",
            "Save the weights of the original network: " + SAVE[0].lower() + SAVE[1:],
        )
    if CODE.search(reason):
        found = GLOBAL.search(reason)
        name = found[1].rstrip(".,") if found else "objects"
        if name.startswith(("torch.nn.", "torchvision.", "timm.", "__main__.")):
            return InputError(
                f"{path} holds a whole pickled network or object ({name}), which is "
                "code, not only weights.",
                "It was not run. Where you trust the file, load it in Python and save "
                "its weights with torch.save(model.state_dict(), file).",
            )
        return InputError(
            f"{path} contains code ({name}) and was refused; nothing of it was run.",
            f"Do not load it elsewhere unless you trust its origin. {SAVE}",
        )
    # What torch says here advises to load the file in a way that runs its code.
    return InputError(f"{path} is damaged or not a checkpoint.", NOT_ONE)


def _refuse_bomb(path: Path) -> None:
    """torch.save never compresses, so a file that unpacks much larger is a trap."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(item.file_size for item in archive.infolist())
    except Exception as error:  # is_zipfile looks at the last bytes only
        raise _refusal(path, str(error)) from error
    if total > UNPACKED * path.stat().st_size:
        raise InputError(
            f"{path} would unpack to {total / 1024**3:.1f} GB, so it was refused.",
            NOT_ONE,
        )


def _weights_in(content: Any, path: Path, depth: int = 0) -> Stored:
    """The first mapping of tensors, bare or under one of the usual keys."""
    if isinstance(content, Mapping) and all(isinstance(k, str) for k in content):
        if _is_weights(content):
            return Stored(_tensors(content))
        holders = [key for key in NESTED if _is_weights(content.get(key))]
        if holders:
            return Stored(_tensors(content[holders[0]]), holders[0], tuple(holders[1:]))
        for key in NESTED if depth < DEEPEST else ():
            if isinstance(content.get(key), Mapping):
                inner = _weights_in(content[key], path, depth + 1)
                return Stored(inner.tensors, f"{key}.{inner.under}", inner.others)
    raise InputError(
        f"{path} holds no network weights.",
        f"The weights may be bare or under {', '.join(NESTED[:3])}. {SAVE}",
    )


def _is_weights(content: Any) -> bool:
    """Whether tensors prevail in a mapping; counters and settings may be among them."""
    if not isinstance(content, Mapping) or not content:
        return False
    keys = [key for key, value in content.items() if isinstance(value, Tensor)]
    return 2 * len(keys) >= len(content) and all(isinstance(k, str) for k in keys)


def _tensors(content: Mapping) -> dict[str, Tensor]:
    return {k: v.detach() for k, v in content.items() if isinstance(v, Tensor)}


def _multiplied(stored: Stored) -> Stored:
    """Weights that torch.nn.utils.prune keeps as a pair, put together."""
    tensors, masked = dict(stored.tensors), []
    for name, mask in stored.tensors.items():
        whole = name.removesuffix("_mask")
        weight = stored.tensors.get(f"{whole}_orig")
        if whole != name and weight is not None and weight.shape == mask.shape:
            del tensors[name], tensors[f"{whole}_orig"]
            tensors[whole] = weight * mask
            masked.append(whole)
    return replace(stored, tensors=tensors, masked=tuple(masked))


def _check_tensor(path: Path, name: str, tensor: Tensor) -> None:
    """Refuse tensors that cannot be copied into a plain network."""
    if tensor.is_quantized:
        kind = "quantised"
    elif tensor.layout != torch.strided:
        kind = "sparse"
    elif tensor.device.type != "cpu":
        kind = "empty (meta)"
    elif tensor.nbytes > UNPACKED * path.stat().st_size:
        kind = "repeated (expanded)"
    else:
        return
    raise InputError(
        f"{path} stores {name} as a {kind} tensor.",
        "Save dense floating-point weights.",
    )
