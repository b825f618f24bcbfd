"""Known: what one run of a comparison found out and the next need not find again."""

import torch

from engine.data.base import Data
from engine.evaluate import Measure
from engine.events import Noticed
from engine.fits import Fits
from engine.loading import load_data, tell_data
from engine.monitor import Monitor
from engine.recipe import Recipe


class Known:
    """Images that were read last, dense networks that were measured, and curvatures.

    Attributes:
        measures: Of dense networks, by their `fingerprint`.
        fits: Keeps curvatures; None where runs have no curvature in common.
    """

    def __init__(self, fits: Fits | None = None) -> None:
        self.fits = fits
        self.measures: dict[str, Measure] = {}
        self._read: tuple[object, Data, list[Noticed]] | None = None

    def data(self, recipe: Recipe, device: torch.device, monitor: Monitor) -> Data:
        """All splits, served on `device`; every run hears what was noticed in reading.

        Only the latest are kept: two data sets may not fit into memory.
        """
        key = (recipe.data, recipe.machine.seed, device)
        if self._read and self._read[0] == key:
            _, data, told = self._read
            for notice in told:
                monitor.notice(notice.message, notice.hint, notice.level)
            tell_data(data, monitor)
            return data
        self._read, first = None, len(monitor.noticed)
        data = load_data(recipe, device, monitor)
        self._read = key, data, monitor.noticed[first:]
        return data
