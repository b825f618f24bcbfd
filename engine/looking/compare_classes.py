"""Comparing two states of a network class by class, on images neither learned from."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine import machine
from engine.data.base import Split
from engine.errors import InputError
from engine.events import Event
from engine.known import Known
from engine.loading import fill, load_network, loss_for
from engine.looking.answers import Answers, answers
from engine.looking.classes import ClassReport, NewlyWrong, changes, grown
from engine.looking.look import look
from engine.looking.networks import Network
from engine.monitor import Control, Monitor
from engine.words.units import many

LOOKED_AT = 60  # newly wrong images that are shown

SplitName = Literal["validation", "test"]


def compare_classes(
    network: Network,
    split: SplitName = "validation",
    known: Known | None = None,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> ClassReport | None:
    """Measure each class before and after; see `look`.

    Before is the network as it was scored or, of a run, as its recipe has it; after is
    the same with what would go at zero or, of a run, what the run has made of it.

    Args:
        network: After, and where it comes from.
        split: Which images.
        known: Has the images where they were read before, or keeps them.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The report, or None when it was stopped.

    Raises:
        EngineError: Network or images cannot be used; after `LookEnded`.
    """

    def work(monitor: Monitor) -> tuple[ClassReport, str]:
        report = _compare(network, split, known or Known(), monitor, trust)
        images = many(report.whole.images, f"{split} image")
        return report, f"Compared the classes on {images}."

    return look("Comparing classes", network.recipe, work, emit, control)


def _compare(
    network: Network,
    name: SplitName,
    known: Known,
    monitor: Monitor,
    trust: frozenset[str],
) -> ClassReport:
    recipe = network.recipe
    device = machine.pick_device(recipe.machine)
    with monitor.phase("load"):
        model, _ = load_network(recipe, monitor, trust)
        data = known.data(recipe, device, monitor)
        model.to(device).eval()
        loss = loss_for(model, recipe, data, monitor)
    split: Split = getattr(data, name)
    if not len(split):
        raise InputError(
            f"There are no {name} images.",
            "Choose the test images, or set aside a share for validation.",
        )

    def measure(label: str) -> Answers:
        return answers(model, split, loss, recipe.machine.batch, monitor, label)

    with monitor.phase("evaluate"):
        if network.study is not None:
            fill(model, network.state, network.title)
        before = measure("Measuring before")
        fill(model, network.pruned(), network.title)
        after = measure("Measuring after")
    says = split.labels.numpy(), before.says.numpy(), after.says.numpy()
    names = data.spec.classes
    return ClassReport(
        name,
        changes(names, *says),
        grown(names, *says),
        _newly_wrong(split, before, after, names),
    )


def _newly_wrong(
    split: Split, before: Answers, after: Answers, names: tuple[str, ...]
) -> tuple[NewlyWrong, ...]:
    right, wrong = before.says == split.labels, after.says != split.labels
    places = (right & wrong).nonzero().squeeze(1)
    surest = after.sure[places].argsort(descending=True, stable=True)
    places = places[surest][:LOOKED_AT]
    if not len(places):
        return ()
    pictures = split.pictures(places)
    return tuple(
        NewlyWrong(
            place,
            names[int(split.labels[place])],
            names[int(after.says[place])],
            float(after.sure[place]),
            float(before.sure[place]),
            None if pictures is None else _pixels(pictures[number]),
        )
        for number, place in enumerate(places.tolist())
    )


def _pixels(picture: Tensor) -> np.ndarray:
    """(height, width, 3) uint8 of (channels, height, width) in 0..1.

    Grey is repeated; channels that are no colours are averaged to grey.
    """
    if len(picture) != 3:
        picture = picture.mean(0, keepdim=True).expand(3, -1, -1)
    whole = (255 * picture).round().to(torch.uint8)
    return whole.permute(1, 2, 0).contiguous().cpu().numpy()
