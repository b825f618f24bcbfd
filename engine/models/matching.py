"""Matching a checkpoint's keys and shapes to a network's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import InputError
from engine.events import CheckpointLoaded
from engine.models import checkpoint
from engine.monitor import Monitor

WRAPPERS = ("module", "_orig_mod")  # DataParallel and torch.compile
PREFIXES = ("model", "net", "network", "backbone")  # what training frameworks add
SYNONYMS = (
    ("fc", "linear", "classifier", "head"),
    ("downsample", "shortcut"),
)  # the same layer in different public code


@dataclass
class Match:
    """How a checkpoint's keys meet the network's."""

    taken: dict[str, str] = field(default_factory=dict)  # network's key: the file's
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()  # unexpected ones that belong to parts of the network
    misshaped: tuple[str, ...] = ()

    @property
    def renamed(self) -> tuple[str, ...]:
        """`file key -> network key` where the two differ."""
        pairs = self.taken.items()
        return tuple(f"{theirs} -> {ours}" for ours, theirs in pairs if ours != theirs)


def load_checkpoint(
    network: nn.Module, path: Path, partial: bool, monitor: Monitor
) -> None:
    """Copy a checkpoint's weights into the network and say how the keys met.

    Args:
        network: On the CPU; changed only when everything fits.
        path: A .pth, .pt or .safetensors file.
        partial: Weights that only one of the two has are noticed, not refused.
        monitor: Hears of renamed, missing and unexpected keys.

    Raises:
        InputError: The file is unusable, or of another network; lists every key.
    """
    stored = checkpoint.read(path)
    found = match(network, stored.tensors)
    _refuse(path, found, partial, network, stored.tensors)
    _check_numbers(path, found, network, stored.tensors)
    values = {ours: stored.tensors[theirs] for ours, theirs in found.taken.items()}
    _note(monitor, path, stored, found, values)
    network.load_state_dict(values, strict=False)


def match(network: nn.Module, tensors: dict[str, Tensor]) -> Match:
    """Pair keys: the same name first, then known renames; order never decides."""
    wanted = {k: v for k, v in network.state_dict().items() if isinstance(v, Tensor)}
    found = Match({key: key for key in tensors if key in wanted})
    for key in tensors:
        if key in wanted:
            continue
        for name in candidates(key):
            if name in wanted and name not in found.taken:
                found.taken[name] = key
                break
    used = set(found.taken.values())
    found.unexpected = tuple(key for key in tensors if key not in used)
    found.deeper = tuple(_deeper(wanted, tensors, found.unexpected))
    found.misshaped = tuple(
        f"{name}: {_shape(tensors[key])} in the file, {_shape(wanted[name])} needed"
        for name, key in found.taken.items()
        if tensors[key].shape != wanted[name].shape
    )
    found.missing = tuple(_missing(network, wanted, found.taken))
    return found


def candidates(key: str) -> Iterator[str]:
    """Names a key may have in the network: wrappers off, prefixes off, synonyms."""
    parts = [part for part in key.split(".") if part not in WRAPPERS]
    bare = [parts]
    while len(parts) > 1 and parts[0] in PREFIXES:
        parts = parts[1:]
        bare.append(parts)
    for parts in bare:
        yield ".".join(parts)
    for parts in bare:
        for place, part in enumerate(parts):
            for group in SYNONYMS:
                for other in group if part in group else ():
                    yield ".".join([*parts[:place], other, *parts[place + 1 :]])


def _deeper(
    wanted: dict[str, Tensor], tensors: dict[str, Tensor], unexpected: Iterable[str]
) -> Iterator[str]:
    """Weights for parts that the network has, too: the checkpoint's are larger.

    An auxiliary classifier has a part of its own and does no harm; the further blocks
    of a deeper network's stage tell that this is another network.
    """

    def part(key: str) -> str:
        first = key.partition(".")[0]
        return "number" if first.isdigit() else first

    parts = {part(key) for key in wanted}
    for key in unexpected:
        weight = tensors[key].ndim > 1 and tensors[key].is_floating_point()
        if weight and any(part(name) in parts for name in candidates(key)):
            yield key


def _missing(
    network: nn.Module, wanted: dict[str, Tensor], taken: Iterable[str]
) -> Iterator[str]:
    """Keys left over; batch counters do not matter, tied weights came with a twin."""
    tied = dict(network.named_parameters(remove_duplicate=False))
    there = {id(tied[name]) for name in taken if name in tied}
    for name in wanted:
        counter = name.endswith("num_batches_tracked")
        if name not in taken and not counter and id(tied.get(name)) not in there:
            yield name


def _refuse(
    path: Path,
    found: Match,
    partial: bool,
    network: nn.Module,
    tensors: dict[str, Tensor],
) -> None:
    details = _details(found)
    classes = _other_classes(found, network, tensors)
    if classes:
        theirs, ours = classes
        raise InputError(
            f"The checkpoint's classifier has {theirs} classes, the data {ours}.",
            "Choose the data it was trained on, or a checkpoint for these classes.",
            details,
        )
    gaps = (found.missing or found.deeper) and not partial
    if not found.taken or found.misshaped or gaps:
        counts = [
            f"{len(found.missing)} missing" if found.missing else "",
            f"{len(found.misshaped)} of another shape" if found.misshaped else "",
            f"{len(found.unexpected)} unexpected" if found.unexpected else "",
        ]
        raise InputError(
            f"The checkpoint {path.name} is of another network: "
            f"{', '.join(filter(None, counts))}.",
            "Check the model's settings (kind, depth, shortcut, file), or choose "
            "another checkpoint.",
            details,
        )


def _other_classes(
    found: Match, network: nn.Module, tensors: dict[str, Tensor]
) -> tuple[int, int] | None:
    """(file's, network's) outputs if nothing but the last layer's outputs differ."""
    wanted = network.state_dict()
    odd = {
        (len(tensors[theirs]), len(wanted[ours]), ours.rpartition(".")[0])
        for ours, theirs in found.taken.items()
        if tensors[theirs].ndim
        and tensors[theirs].shape != wanted[ours].shape
        and tensors[theirs].shape[1:] == wanted[ours].shape[1:]
    }
    last = next(reversed(list(network.named_parameters())), ("", None))[0]
    if len(odd) != 1 or found.missing:
        return None
    theirs, ours, module = odd.pop()
    alone = all(line.startswith(f"{module}.") for line in found.misshaped)
    return (theirs, ours) if alone and last.startswith(f"{module}.") else None


def _check_numbers(
    path: Path, found: Match, network: nn.Module, tensors: dict[str, Tensor]
) -> None:
    """Refuse weights that are not finite numbers of the network's sort."""
    wanted = network.state_dict()
    for ours, theirs in found.taken.items():
        value = tensors[theirs]
        if wanted[ours].is_floating_point() and not value.is_floating_point():
            raise InputError(
                f"{path.name} stores {theirs} as {_dtype(value)}.",
                "Save floating-point weights.",
            )
        if value.is_floating_point() and not value.float().isfinite().all():
            raise InputError(
                f"{theirs} in {path.name} has values that are not finite numbers.",
                "The training diverged or the file is damaged; choose another one.",
            )


def _note(
    monitor: Monitor,
    path: Path,
    stored: checkpoint.Stored,
    found: Match,
    values: dict[str, Tensor],
) -> None:
    monitor.emit(
        CheckpointLoaded(
            str(path), len(found.taken), found.renamed, found.missing,
            found.unexpected, found.misshaped,
        )
    )  # fmt: skip
    if stored.masked:
        monitor.notice(
            f"{len(stored.masked)} weights of {path.name} were stored with masks "
            f"(torch.nn.utils.prune) and were multiplied: {_listed(stored.masked)}.",
            level="info",
        )
    if stored.others:
        monitor.notice(
            f"The weights under {stored.under} of {path.name} were taken.",
            f"It also holds {', '.join(stored.others)}.", level="info",
        )  # fmt: skip
    if found.missing:
        monitor.notice(
            f"{len(found.missing)} weights are not in {path.name} and keep their "
            f"start: {_listed(found.missing)}.",
        )
    if found.unexpected:
        monitor.notice(
            f"{len(found.unexpected)} entries of {path.name} are not in the network "
            f"and were left out: {_listed(found.unexpected)}.",
        )
    floating = {v.dtype for v in values.values() if v.is_floating_point()}
    for dtype in sorted(floating - {torch.float32}, key=str):
        monitor.notice(
            f"{path.name} stores {str(dtype).removeprefix('torch.')} weights; they "
            "were converted to float32.",
            level="info",
        )


def _details(found: Match) -> tuple[str, ...]:
    return (
        *(f"renamed: {line}" for line in found.renamed),
        *(f"missing: {name}" for name in found.missing),
        *(f"other shape: {line}" for line in found.misshaped),
        *(f"unexpected: {name}" for name in found.unexpected),
    )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
