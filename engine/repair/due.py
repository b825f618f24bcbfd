"""Repairs: what the recipe wants mended, when its moment has come."""

from torch import nn

from engine.data.base import Split
from engine.loss import Loss
from engine.masks import Masks
from engine.monitor import Monitor
from engine.recipe import Recipe
from engine.repair.batch_norm import reestimate_batch_norm
from engine.repair.distillation import Distillation
from engine.repair.least_squares import LayerRepair
from engine.settings import When


class Repairs:
    """Refits layers, distils, re-estimates batch norm, in this order, if it is due.

    Args:
        model: Made while it is dense: its outputs now are what layers are refitted to.
        names: Weights to refit.
        images: Training split; no labels are used.
        loss: Knows what the network returns.
        recipe: What to do and when, images per step of a distillation, seed.
    """

    def __init__(
        self,
        model: nn.Module,
        names: tuple[str, ...],
        images: Split,
        loss: Loss,
        recipe: Recipe,
    ) -> None:
        self._model, self._images = model, images
        self._settings, self._machine = recipe.repair, recipe.machine
        settings, seed = recipe.repair, recipe.machine.seed
        self._layers = None
        if settings.layers != "never":
            self._layers = LayerRepair(model, names, images, loss, settings, seed)

        self._whole = None
        if settings.distil != "never":
            self._whole = Distillation(
                model, images, loss, settings, recipe.finetune.batch, seed
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
        if self._whole and settings.distil == when:
            self._whole(self._model, masks, monitor)
        if settings.batch_norm == when:
            reestimate_batch_norm(
                self._model, self._images, settings.samples, machine.batch,
                machine.seed, monitor,
            )  # fmt: skip
