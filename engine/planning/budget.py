"""Does a run fit? The block size and the place of its gradients follow from that."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from engine import machine
from engine.curvature.layout import LiveWeights
from engine.errors import InputError
from engine.estimators.base import ObsEstimator
from engine.gradients.pages import MEMORY, Storage
from engine.planning import activations, memory
from engine.planning.memory import Extent
from engine.recipe import Recipe

LADDER = (0, 200_000, 100_000, 50_000, 20_000, 10_000, 5000, 2000, 1000, 500, 200, 100)
GB = 2**30  # bytes, as system monitors count
WIDEST = 4096  # weights in a block of greedy elimination
MARGIN = 0.9  # share of the free memory or disk that a run may count on
REMEDIES = {
    "evaluate": "Lower machine.batch.",
    "repair": "Lower machine.batch or finetune.batch.",
    "finetune": "Lower finetune.batch.",
    "gradients": "Lower estimator.batch, or images of a smaller data.size.",
    "curvature": "Lower estimator.samples or estimator.block_size.",
    "selection": "Exclude large layers, or give the run more memory.",
}
ELSE = "Give the run more memory, or take a smaller network or fewer images."


@dataclass(frozen=True)
class Budget:
    """What a run will take, and what was chosen so that it fits.

    Attributes:
        block_size: Weights per block; 0 is the whole layer, None no blocks at all.
        storage: Where gradients are kept, and how exactly.
        phases: Most bytes on the compute device in each phase, all that the process
            held before included.
        limit: Bytes there may be.
        disk: Bytes of temporary files.
        reasons: Sentences on what was chosen.
    """

    block_size: int | None
    storage: Storage
    phases: dict[str, int]
    limit: int
    disk: int
    reasons: tuple[str, ...]

    @property
    def peak(self) -> int:
        """Most bytes on the compute device."""
        return max(self.phases.values())

    @property
    def fits(self) -> bool:
        """Whether that is within the limit."""
        return self.peak <= self.limit


def decide(
    recipe: Recipe,
    model: nn.Module,
    names: tuple[str, ...],
    size: Extent,
    device: torch.device,
    folder: Path,
    processes: int = 1,
    watched: bool = False,
) -> Budget:
    """The largest block asked for that fits, in memory if possible, else on the disk.

    Several processes keep the gradients in memory: each has those of its own layers.

    Args:
        recipe: What is to be run.
        model: On the device, as the data are: what they take counts as in use.
        names: Prunable parameters.
        size: Of network and data.
        device: Where it will compute.
        folder: Where gradients would be paged; it need not exist yet.
        processes: That share the run; all of them share the memory of a CPU.
        watched: The window keeps a `Study` of the run.

    Raises:
        InputError: Nothing fits; the hint says what to change.
    """
    passes = activations.passes(model, names, size, recipe)
    used = machine.memory_used(device)
    held, limit = used + memory.RUNTIME, _limit(recipe, device, used, processes)
    if watched and device.type == "cpu":
        held += memory.study(size)
    room = MARGIN * shutil.disk_usage(existing(folder)).free
    tried: list[Budget] = []
    for block, storage, need in _ways(recipe, size, folder, processes):
        phases = {
            phase: held + passes.get(phase, 0) + need.get(phase, 0)
            for phase in ("load", *passes, *need)
        }
        there = storage.folder and memory.held(size, recipe.estimator, storage)
        tried.append(Budget(block, storage, phases, limit, there or 0, ()))
        if tried[-1].fits and tried[-1].disk <= room:
            return _explained(tried, recipe, size)
    if any(each.fits for each in tried):
        raise _no_room(min(each.disk for each in tried if each.fits), room, folder)
    raise _refusal(min(tried, key=lambda each: each.peak), processes)


def _ways(
    recipe: Recipe, size: Extent, folder: Path, processes: int
) -> Iterator[tuple[int | None, Storage, dict[str, int]]]:
    """(block size, storage, curvature's bytes), the most wanted first.

    Half precision in memory takes less time than the disk.
    """
    method = recipe.estimator
    if not isinstance(method, ObsEstimator):
        pool = memory.ranking(size, recipe)
        yield None, MEMORY, {"selection": memory.DOUBLE * size.prunable + pool}
        return
    blocks = LADDER if method.auto_block else (method.block_size,)
    if method.order == "greedy":
        blocks = _narrow(size, method, blocks)
    storages = [MEMORY]
    if not method.joins_layers and processes == 1:
        exact, halved = Storage(folder), [Storage(half=True), Storage(folder, True)]
        storages += (
            [halved[0], exact, halved[1]] if recipe.machine.half_precision else [exact]
        )
    for storage in storages:
        for block in blocks:
            need = memory.curvature(size, recipe, block, storage, processes)
            yield block, storage, need


def _narrow(
    size: Extent, method: ObsEstimator, blocks: tuple[int, ...]
) -> tuple[int, ...]:
    """Those of the block sizes that greedy elimination can do."""
    found = tuple(b for b in blocks if _widest(size, method, b) <= WIDEST)
    if not found:
        width = _widest(size, method, blocks[0])
        raise InputError(
            "Greedy elimination takes time that grows with the cube of the block, and "
            f"blocks of {width:,} weights are too wide for it.",
            "Lower estimator.block_size to 2000 or less, or set estimator.order to "
            "independent.",
        )
    return found


def _widest(size: Extent, estimator: ObsEstimator, block: int) -> int:
    """Most weights in a block."""
    layers = (size.prunable,) if estimator.joins_layers else size.layers
    return max(memory.blocks_of(weights, block)[1] for weights in layers)


def _limit(recipe: Recipe, device: torch.device, used: int, processes: int) -> int:
    """Of one process."""
    sharing = processes if device.type == "cpu" else 1
    if recipe.machine.memory:
        return int(recipe.machine.memory * GB / sharing)
    return used + int(MARGIN * machine.memory_free(device) / sharing)


def _explained(tried: list[Budget], recipe: Recipe, size: Extent) -> Budget:
    chosen, method = tried[-1], recipe.estimator
    reasons = []
    if chosen.storage.paged:
        kept = (each for each in tried if not each.storage.paged)
        rows = min(kept, key=lambda each: each.peak)
        taken = memory.held(size, method, chosen.storage)
        reasons.append(
            f"Gradients are kept {chosen.storage.place} ({taken / GB:.1f} GB): in "
            f"memory the run would take {rows.peak / GB:.1f} GB of "
            f"{chosen.limit / GB:.1f} GB."
        )
    if isinstance(method, ObsEstimator) and method.auto_block:
        what = "live weights" if isinstance(method.cut, LiveWeights) else "weights"
        words = f"{chosen.block_size:,} {what}" if chosen.block_size else "whole layers"
        place = chosen.storage.place
        reasons.append(f"Blocks are {words}, the largest that fit {place}.")
    return replace(chosen, reasons=tuple(reasons))


def _refusal(least: Budget, processes: int) -> InputError:
    worst = max(least.phases, key=lambda phase: least.phases[phase])
    several = processes > 1
    hint = REMEDIES.get(worst, ELSE)
    if several:
        hint = f"{hint} A single process can also keep gradients on the disk."
    return InputError(
        f"{'Each process' if several else 'The run'} needs about "
        f"{least.peak / GB:.2f} GB of memory (phase {worst}) and may use "
        f"{least.limit / GB:.2f} GB.",
        hint,
    )


def _no_room(disk: int, room: float, folder: Path) -> InputError:
    return InputError(
        f"The gradients need {disk / GB:.1f} GB of disk in {folder}, where "
        f"{room / GB:.1f} GB may be used.",
        "Lower estimator.samples, exclude large layers, or free disk space.",
    )


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there already."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def with_block(recipe: Recipe, block: int | None) -> Recipe:
    """The recipe with this block size instead of a choice by memory."""
    if not isinstance(recipe.estimator, ObsEstimator):
        return recipe
    changes = {"block_size": block, "auto_block": False}
    method = recipe.estimator.model_copy(update=changes)
    return recipe.model_copy(update={"estimator": method})
