"""Prober: accuracy with other masks, measured on a thread and weights of its own."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine import machine
from engine.errors import EngineError
from engine.evaluate import Measure, judged
from engine.looking.bench import Bench
from engine.monitor import Monitor
from engine.recipe import Recipe
from engine.steering.study import Study

IMAGES = 512  # most of a mini-batch
QUICK = 0.15  # seconds a look may take, of the 0.2 that five a second allow


@dataclass(frozen=True)
class Probed:
    """A mini-batch measured with the masks of a request, without any correction.

    Attributes:
        units: What was asked: how many of each layer's units are gone.
        now, dense: With these masks, and with those of the scored network.
        images: Of the mini-batch; `split` says where they come from.
        seconds: It took.
    """

    units: Mapping[str, int]
    now: Measure
    dense: Measure
    images: int
    split: str
    seconds: float


class Prober:
    """Measures on request; a newer request takes the place of one that waits.

    Network and images are loaded when the first request comes. The masks lie on a
    network of the prober's own. Building it seeds and draws from the random numbers of
    the whole process: what must be reproducible waits for `close` first.

    Args:
        recipe: Its network and images.
        study: The scored weights, and which go first.
        answer: Receives `Probed`, or the exception that ended it, on its thread.
        trust: SHA-256 digests of Python files that may be executed.
    """

    def __init__(
        self,
        recipe: Recipe,
        study: Study,
        answer: Callable[[Probed | Exception], None],
        trust: frozenset[str] = frozenset(),
    ) -> None:
        self._recipe, self._study, self._trust = recipe, study, trust
        self._answer = answer
        self._changed = threading.Condition()
        self._wanted: Mapping[str, int] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)
        self._thread.start()

    def ask(self, units: Mapping[str, int]) -> None:
        """Measure with so many of each layer's lowest units gone; never blocks long."""
        with self._changed:
            self._wanted = dict(units)
            self._changed.notify()

    def rest(self) -> None:
        """Forget the request that waits."""
        with self._changed:
            self._wanted = None

    def close(self, wait: bool = False) -> None:
        """End the thread after what it does now."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if wait:
            self._thread.join()

    def _next(self) -> Mapping[str, int] | None:
        """Wait for a request; None is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wanted is not None)
            wanted, self._wanted = self._wanted, None
            return None if self._closing else wanted

    def _run(self) -> None:
        wanted = self._next()
        if wanted is None:
            return
        try:
            with machine.threads(self._recipe.machine):
                probe = _Probe(self._recipe, self._study, self._trust)
                while wanted is not None:
                    self._answer(probe.measure(wanted))
                    wanted = self._next()
        except (torch.OutOfMemoryError, MemoryError):
            self._answer(EngineError("There is not enough memory.", "Score again."))
        except Exception as error:
            self._answer(error)


class _Probe:
    """A network, a mini-batch, and what the network gives on it."""

    def __init__(self, recipe: Recipe, study: Study, trust: frozenset[str]) -> None:
        self._bench = Bench(recipe, study, trust, Monitor())
        self._images, self._labels = _mini_batch(self._bench)
        self._dense = self._measured()

    def measure(self, units: Mapping[str, int]) -> Probed:
        began = time.perf_counter()
        self._bench.cut(units)
        now = self._measured()
        seconds = time.perf_counter() - began
        count, source = len(self._images), self._bench.source
        return Probed(units, now, self._dense, count, source, seconds)

    def _measured(self) -> Measure:
        bench = self._bench
        with torch.no_grad():
            outputs = bench.model(self._images)
        return Measure.of(judged(outputs, self._labels, bench.loss))


def _mini_batch(bench: Bench) -> tuple[Tensor, Tensor]:
    """As many images as a look of `QUICK` seconds can take, drawn by the seed."""
    images, labels = bench.split.batch(bench.draw(IMAGES))
    count = len(images)
    while count > 1 and _seconds(bench.model, images[:count]) > QUICK:
        count //= 2
    return images[:count], labels[:count]


@torch.no_grad()
def _seconds(model: nn.Module, images: Tensor) -> float:
    """Of a pass, the second time: the first one may have to prepare."""
    for _ in range(2):
        began = time.perf_counter()
        model(images).sum().item()  # waits for a GPU
    return time.perf_counter() - began
