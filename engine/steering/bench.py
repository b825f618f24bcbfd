"""Bench: a scored network of one's own on which cuts are tried with images."""

from collections.abc import Mapping

import torch
from torch import Tensor

from engine import machine
from engine.data.base import Split
from engine.loading import load_data, load_network, loss_for
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
        self.model.load_state_dict(study.state)
        self.source = "validation" if len(data.validation) else "training"
        self.split: Split = data.validation if len(data.validation) else data.train
        self.classes = data.spec.classes
        self._now = dict.fromkeys(study.order, 0)

    def draw(self, count: int, label: int | None = None) -> Tensor:
        """Which images of the split, drawn by the recipe's seed (images,).

        Args:
            count: At most so many.
            label: Of this class alone.
        """
        among = torch.arange(len(self.split))
        if label is not None:
            among = (self.split.labels == label).nonzero().squeeze(1)
        stream = torch.Generator().manual_seed(self._recipe.machine.seed)
        return among[torch.randperm(len(among), generator=stream)[:count]]

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
        """Loss of each image, and 1 where the guess is right (images, 2), float64.

        Args:
            images: Their places in the split (images,).
            progress: Counts images.

        Raises:
            Stopped: A stop was asked for.
        """
        found = []
        for places in images.split(self._recipe.machine.batch):
            inputs, labels = self.split.batch(places)
            outputs = self.model(inputs).float()
            hits = (outputs.argmax(1) == labels).double()
            losses = self.loss.per_sample(outputs, labels).double()
            found.append(torch.stack([losses, hits], 1).cpu())
            progress.advance(len(places))
        return torch.cat(found)
