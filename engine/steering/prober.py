"""Prober: accuracy with other masks, measured on a thread and weights of its own."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine import machine
from engine.data.base import Split
from engine.errors import EngineError
from engine.evaluate import Measure
from engine.loading import load_data, load_network, loss_for
from engine.loss import Loss
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
                bench = _Bench(self._recipe, self._study, self._trust)
                while wanted is not None:
                    self._answer(bench.measure(wanted))
                    wanted = self._next()
        except (torch.OutOfMemoryError, MemoryError):
            self._answer(EngineError("There is not enough memory.", "Score again."))
        except Exception as error:
            self._answer(error)


class _Bench:
    """A network, a mini-batch, and what the network gives on it."""

    def __init__(self, recipe: Recipe, study: Study, trust: frozenset[str]) -> None:
        device, quiet = machine.pick_device(recipe.machine), Monitor()
        self._study = study
        self._model, _ = load_network(recipe, quiet, trust)
        data = load_data(recipe, device, quiet)
        self._model.to(device).eval()
        self._loss = loss_for(self._model, recipe, data, quiet)
        self._model.load_state_dict(study.state)
        self.split = "validation" if len(data.validation) else "training"
        split = data.validation if len(data.validation) else data.train
        self._images, self._labels = _mini_batch(self._model, split, recipe)
        self._now = dict.fromkeys(study.order, 0)
        self._dense = _measure(self._model, self._images, self._labels, self._loss)

    def measure(self, units: Mapping[str, int]) -> Probed:
        began = time.perf_counter()
        self._cut(units)
        now = _measure(self._model, self._images, self._labels, self._loss)
        seconds = time.perf_counter() - began
        return Probed(units, now, self._dense, len(self._images), self.split, seconds)

    @torch.no_grad()
    def _cut(self, units: Mapping[str, int]) -> None:
        """Bring back what stays, take what goes."""
        for name in self._study.order:
            count = units.get(name, 0)
            if count == self._now[name]:
                continue
            weight, dense = self._model.get_parameter(name), self._study.state[name]
            left = dense.clone()
            left.view(-1)[self._study.removed(units, name)] = 0
            weight.copy_(left)
            self._now[name] = count


def _mini_batch(
    model: nn.Module, split: Split, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """As many images as a look of `QUICK` seconds can take, drawn by the seed."""
    stream = torch.Generator().manual_seed(recipe.machine.seed)
    count = min(IMAGES, len(split))
    order = torch.randperm(len(split), generator=stream)[:count]
    images, labels = split.batch(order)
    while count > 1 and _seconds(model, images[:count]) > QUICK:
        count //= 2
    return images[:count], labels[:count]


@torch.no_grad()
def _seconds(model: nn.Module, images: Tensor) -> float:
    """Of a pass, the second time: the first one may have to prepare."""
    for _ in range(2):
        began = time.perf_counter()
        model(images).sum().item()  # waits for a GPU
    return time.perf_counter() - began


@torch.no_grad()
def _measure(model: nn.Module, images: Tensor, labels: Tensor, loss: Loss) -> Measure:
    outputs = model(images).float()
    right = (outputs.argmax(1) == labels).double().mean()
    return Measure(float(loss.per_sample(outputs, labels).mean()), 100 * float(right))
