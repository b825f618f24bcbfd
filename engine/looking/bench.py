"""Bench: a scored network of one's own on which cuts are tried with images."""

from collections.abc import Mapping

import torch
from torch import Tensor

from engine import machine, seeds
from engine.data.base import Split
from engine.evaluate import judged
from engine.loading import fill, load_data, load_network, loss_for
from engine.monitor import Monitor, Progress
from engine.recipe import Recipe
from engine.steering.study import Study


class Bench:
    """The network as it was scored, any of its layers cut, none corrected.

    Args:
        recipe: Its network and images.
        study: The scored weights, and which go first.
        trust: SHA-256 digests of Python files that may be executed.
        monitor: Hears what is loaded.

    Attributes:
        model: In eval mode.
        split: Validation images, or training images where there are none.
        source: Which of the two.
    """

    def __init__(
        self, recipe: Recipe, study: Study, trust: frozenset[str], monitor: Monitor
    ) -> None:
        device = machine.pick_device(recipe.machine)
        self._recipe, self._study = recipe, study
        self.model, _ = load_network(recipe, monitor, trust)
        data = load_data(recipe, device, monitor)
        self.model.to(device).eval()
        self.loss = loss_for(self.model, recipe, data, monitor)
        fill(self.model, study.state, "The scored network")
        self.split, self.source = data.probe
        self.classes = data.spec.classes
        self._now = dict.fromkeys(study.order, 0)

    def draw(self, count: int, label: int | None = None) -> Tensor:
        """Which images of the split, drawn by the recipe's seed; see `draw`."""
        return draw(self.split, count, self._recipe.machine.seed, label)

    @torch.no_grad()
    def cut(self, units: Mapping[str, int]) -> None:
        """Take so many of each layer's lowest units; bring back what stays."""
        for name in self._study.order:
            count = units.get(name, 0)
            if count == self._now[name]:
                continue
            weight, dense = self.model.get_parameter(name), self._study.state[name]
            left = dense.clone()
            left.view(-1)[self._study.removed(units, name)] = 0
            weight.copy_(left)
            self._now[name] = count

    @torch.no_grad()
    def results(self, images: Tensor, progress: Progress) -> Tensor:
        """These images judged (images, 2), float64 on the CPU.

        Args:
            images: Their places in the split (images,).
            progress: Counts images.

        Raises:
            Stopped: A stop was asked for.
        """
        found = []
        for places in images.split(self._recipe.machine.batch):
            inputs, labels = self.split.batch(places)
            found.append(judged(self.model(inputs), labels, self.loss).cpu())
            progress.advance(len(places))
        return torch.cat(found)


def draw(split: Split, count: int, seed: int, label: int | None = None) -> Tensor:
    """Which images of a split a cut is tried on (images,).

    Args:
        split: To draw from.
        count: At most so many.
        seed: Decides which.
        label: Of this class alone.
    """
    among = torch.arange(len(split))
    if label is not None:
        among = (split.labels == label).nonzero().squeeze(1)
    stream = seeds.generator(seed, "probe")
    return among[torch.randperm(len(among), generator=stream)[:count]]
