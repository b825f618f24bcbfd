"""Repairs: what the recipe wants mended, when its moment has come."""

from torch import nn

from engine.data.base import Split
from engine.loss import Loss
from engine.masks import Masks
from engine.monitor import Monitor
from engine.repair.batch_norm import reestimate_batch_norm
from engine.repair.least_squares import LayerRepair
from engine.settings import Machine, Repair, When


class Repairs:
    """Refits layers, then re-estimates batch norm, as far as either is due.

    Args:
        model: Made while it is dense: its outputs now are what layers are refitted to.
        names: Weights to refit.
        images: Training split; no labels are used.
        loss: Knows what the network returns.
        settings: What to do, and when.
        machine: Seed and batch.
    """

    def __init__(
        self,
        model: nn.Module,
        names: tuple[str, ...],
        images: Split,
        loss: Loss,
        settings: Repair,
        machine: Machine,
    ) -> None:
        self._model, self._images = model, images
        self._settings, self._machine = settings, machine
        self._layers = None
        if settings.layers != "never":
            self._layers = LayerRepair(
                model, names, images, loss, settings, machine.seed
            )

    def __call__(self, when: When, masks: Masks, monitor: Monitor) -> None:
        """Mend what is due `when`.

        Raises:
            RunError: A refit or a statistic is not finite.
            Stopped: A stop was asked for.
        """
        settings, machine = self._settings, self._machine
        if self._layers and settings.layers == when:
            self._layers(self._model, masks, monitor)
        if settings.batch_norm == when:
            reestimate_batch_norm(
                self._model, self._images, settings.samples, machine.batch,
                machine.seed, monitor,
            )  # fmt: skip
