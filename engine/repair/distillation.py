"""Distillation: the kept weights trained to answer as the dense network does."""

import copy
import math

import torch
from torch import Tensor, nn

from engine.data.base import Split
from engine.errors import RunError
from engine.loss import Loss
from engine.masks import Masks
from engine.monitor import Monitor
from engine.repair.batch_norm import batch_norms
from engine.repair.undo import undone_on_failure
from engine.settings import Repair


class Distillation:
    """Class probabilities of the dense network are learned from images without labels.

    Adam on the cross-entropy between both networks' outputs (Hinton et al., 2015, at
    temperature 1), the learning rate falling to zero along half a cosine; removed
    weights stay zero. The step that least squares cannot take: all layers at once.

    Args:
        dense: The network before any prune; copied.
        split: Training images; labels are not used.
        loss: Knows what the network returns.
        settings: Images, passes over them, learning rate.
        batch: Images per step.
        seed: Draws images and their order, the same ones for every repair.
    """

    def __init__(
        self,
        dense: nn.Module,
        split: Split,
        loss: Loss,
        settings: Repair,
        batch: int,
        seed: int,
    ) -> None:
        self._dense = copy.deepcopy(dense).eval()
        self._split, self._loss, self._settings = split, loss, settings
        self._batch, self._seed = batch, seed
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randperm(len(split), generator=generator)
        self._chosen = chosen[: settings.distil_samples]

    def __call__(self, model: nn.Module, masks: Masks, monitor: Monitor) -> None:
        """Train `model` in place; it is left in eval mode.

        Raises:
            RunError: It diverged; the network is as it was.
            Stopped: A stop was asked for; the network is as it was.
        """
        named = dict(model.named_parameters())
        held = [(named[name], mask) for name, mask in masks.items()]
        learning = [p for p in model.parameters() if p.requires_grad]
        rate = self._settings.learning_rate
        optimizer = torch.optim.Adam(learning, rate)
        generator = torch.Generator().manual_seed(self._seed)
        steps = self._steps(generator)
        try:
            with undone_on_failure(model):
                model.eval()
                for norm in batch_norms(model):
                    norm.train()
                for step, indices in enumerate(monitor.track(steps, "Distillation")):
                    share = 0.5 * (1 + math.cos(math.pi * step / len(steps)))
                    optimizer.param_groups[0]["lr"] = rate * share
                    loss = self._apart(model, indices, generator)
                    optimizer.zero_grad(set_to_none=True)
                    loss.backward()
                    for weight, mask in held:
                        if weight.grad is not None:
                            weight.grad.mul_(mask)
                    optimizer.step()
                if not bool(loss.isfinite()):
                    raise RunError(
                        "Distillation diverged: its loss is not finite.",
                        "Lower repair.learning_rate.",
                    )
        finally:
            model.eval()

    def _steps(self, generator: torch.Generator) -> list[Tensor]:
        """Images of every step; batch norm cannot take a single one."""
        found = []
        for _ in range(self._settings.passes):
            order = torch.randperm(len(self._chosen), generator=generator)
            batches = self._chosen[order].split(self._batch)
            found += [each for each in batches if len(each) > 1]
        return found

    def _apart(
        self, model: nn.Module, indices: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Mean cross-entropy of the network with what the dense one says."""
        images, _ = self._split.batch(indices, generator)
        with torch.no_grad():
            wanted = self._loss.probabilities(self._dense(images).float())
        given = self._loss.logarithms(model(images).float())
        return -(wanted * given).sum(1).mean()
