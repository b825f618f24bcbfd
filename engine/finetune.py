"""Fine-tuning with masks held through every step."""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from engine.data.base import Data
from engine.errors import RunError
from engine.evaluate import Measure, evaluate
from engine.events import EpochFinished, Trained
from engine.loss import Loss
from engine.masks import Masks
from engine.monitor import PROGRESS_INTERVAL, Monitor
from engine.settings import Finetune
from engine.sharing.processes import ALONE, Ranks

SEEDS = 2**63  # what a generator takes


def make_optimizer(model: nn.Module, settings: Finetune) -> torch.optim.Optimizer:
    """SGD with momentum or AdamW over all parameters that train."""
    weights = [p for p in model.parameters() if p.requires_grad]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(
            weights, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
    return torch.optim.SGD(
        weights,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )


class Finetuner:
    """Trains in whole epochs that can stop and resume at any batch, bit for bit.

    Batch order, augmentation and dropout depend only on (seed, epoch, batch), so a
    resumed run sees what an uninterrupted one would have seen.

    Several processes each take a slice of the same batch. One message per step averages
    gradients, loss and batch-norm statistics, so all stay alike: no wrapper around the
    network, and masks, states and single steps are those of one process. Batch norm
    normalises by the slice, as usual with data in parallel.

    Args:
        model: Trained in place, on its device.
        data: Training split to learn from, validation split to choose the epoch.
        loss: Of the network's outputs.
        settings: The recipe's fine-tuning group.
        seed: Of the run.
        evaluation_batch: Images at once on the validation split.
        monitor: Progress, stop and events.
        ranks: The processes that share each batch.

    Attributes:
        epoch, batch: How many are done, of all and of the epoch under way.
        settings: May change between two epochs, but for optimiser and batch size.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        loss: Loss,
        settings: Finetune,
        seed: int,
        evaluation_batch: int,
        monitor: Monitor,
        ranks: Ranks = ALONE,
    ) -> None:
        self.epoch = 0
        self.batch = 0
        self.best: dict[str, Any] | None = None
        self._model, self._data, self._loss = model, data, loss
        self._smooth = replace(loss, label_smoothing=settings.label_smoothing)
        self.settings, self._seed, self._monitor = settings, seed, monitor
        self._ranks = ranks
        self._evaluation_batch = evaluation_batch
        self._optimizer = make_optimizer(model, settings)
        self._loss_sum, self._seen = 0.0, 0
        self._trained, self._seconds = 0, 0.0
        if settings.epochs and settings.keep == "best" and not len(data.validation):
            monitor.notice("There are no validation images, so the last epoch is kept.")
        device = next(model.parameters()).device
        self._mixed = settings.mixed_precision and device.type == "cuda"
        if settings.mixed_precision and not self._mixed and settings.epochs:
            monitor.notice("Mixed precision is ignored on the CPU.", level="info")

    @property
    def position(self) -> float:
        """Epochs done, fractional."""
        return self.epoch + self.batch / max(self._batches(), 1)

    def run_epoch(self, masks: Masks, recovering: bool) -> Measure:
        """Train to the end of the current epoch and measure on validation.

        Args:
            masks: Weights kept; the others get no gradient, so they stay zero.
            recovering: All prunes are done, so this epoch may become the best.

        Raises:
            RunError: The loss is not finite.
        """
        batches = self._order()
        label = f"Epoch {self.epoch + 1} of {self.settings.epochs}"
        if recovering and self.settings.decay_off_after_prune:
            self._set(weight_decay=0.0)
        with self._monitor.phase("finetune"):
            self._train(batches, masks, label)
        measure = self._finish_epoch(recovering)
        self.epoch, self.batch = self.epoch + 1, 0
        return measure

    def forget(self, removed: Masks) -> None:
        """Clear the optimiser's memory of weights that were just removed."""
        named = dict(self._model.named_parameters())
        for name, gone in removed.items():
            for value in self._optimizer.state.get(named[name], {}).values():
                if isinstance(value, Tensor) and value.shape == gone.shape:
                    value.masked_fill_(gone, 0.0)

    def restore_best(self) -> int | None:
        """Load the best epoch's network if one is to be kept; its number or None."""
        if self.best is None or self.settings.keep == "last":
            return None
        self._model.load_state_dict(self.best["model"])
        return self.best["epoch"]

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors and plain values."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "best": self.best,
            "loss_sum": self._loss_sum,
            "seen": self._seen,
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position."""
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.best = state["best"]
        self._loss_sum, self._seen = state["loss_sum"], state["seen"]
        if "optimizer" in state:  # a branch begins with a fresh one
            self._optimizer.load_state_dict(state["optimizer"])

    def _batches(self) -> int:
        """How many an epoch has; batch norm cannot take a last one of one image."""
        images, size = len(self._data.train), self.settings.batch
        count = -(-images // size)
        return count - 1 if count > 1 and images % size == 1 else count

    def _order(self) -> tuple[Tensor, ...]:
        """This epoch's batches."""
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self._data.train), generator=generator)
        return order.split(self.settings.batch)[: self._batches()]

    def _train(self, batches: tuple[Tensor, ...], masks: Masks, label: str) -> None:
        monitor = self._monitor
        named = dict(self._model.named_parameters())
        held = [(named[name], mask) for name, mask in masks.items()]
        self._model.train()
        first, began = self.batch, monitor.now()
        recent: list[Tensor] = []
        spoke = began
        for index in monitor.track(range(first, len(batches)), label):
            now = self.epoch + index / len(batches)
            self._set(lr=self.settings.rate_at(now))
            recent.append(self._step(batches[index], held, index))
            self.batch = index + 1
            # Only rank 0 speaks, so that no other ends the run at a moment of its own.
            due = monitor.now() - spoke >= PROGRESS_INTERVAL
            if self._ranks.first and (due or self.batch == len(batches)):
                self._report(torch.stack(recent))
                recent, spoke = [], monitor.now()
        self._seconds = monitor.now() - began
        self._trained = sum(len(b) for b in batches[first:])

    def _step(
        self, indices: Tensor, held: list[tuple[Tensor, Tensor]], index: int
    ) -> Tensor:
        """One optimiser step; the mean loss of the batch."""
        seed = (self._seed * 1_000_003 + self.epoch) * 1_000_003 + index
        seed = (seed + self._ranks.rank * 500_009) % SEEDS
        torch.manual_seed(seed)  # dropout
        generator = torch.Generator().manual_seed(seed)
        mine, share = self._ranks.slice(indices)
        images, labels = self._data.train.batch(mine, generator)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._mixed):
            outputs = self._model(images)
        loss = self._smooth.mean(outputs.float(), labels)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        loss = loss.detach()
        self._ranks.average([loss, *self._shared()], share)
        for weight, mask in held:
            if weight.grad is not None:
                weight.grad.mul_(mask)
        self._optimizer.step()
        return loss

    def _shared(self) -> list[Tensor]:
        """Gradients and batch-norm statistics, which differ after a backward pass."""
        gradients = [p.grad for p in self._model.parameters() if p.grad is not None]
        statistics = [b for b in self._model.buffers() if b.is_floating_point()]
        return gradients + statistics

    def _report(self, losses: Tensor) -> None:
        mean = float(losses.mean())
        if not math.isfinite(mean):
            raise RunError(
                f"Fine-tuning diverged: the loss is {mean} in epoch {self.epoch + 1}.",
                "Lower finetune.learning_rate and start again.",
            )
        self._loss_sum += mean * len(losses)
        self._seen += len(losses)
        rate = self._optimizer.param_groups[0]["lr"]
        self._monitor.emit(Trained(self.position, mean, rate))

    def _finish_epoch(self, recovering: bool) -> Measure:
        split = self._data.validation
        with self._monitor.phase("evaluate"):
            measure = evaluate(
                self._model,
                split,
                self._loss,
                self._evaluation_batch,
                self._monitor,
                "Validation",
                self._ranks,
            )
        best = recovering and self._is_best(measure)
        if best:
            self.best = {
                "epoch": self.epoch + 1,
                "accuracy": measure.accuracy,
                "loss": measure.loss,
                "model": {
                    k: v.detach().cpu().clone()
                    for k, v in self._model.state_dict().items()
                },
            }
        self._monitor.emit(
            EpochFinished(
                self.epoch + 1,
                self.settings.epochs,
                self._loss_sum / max(self._seen, 1),
                measure.loss,
                measure.accuracy,
                self._trained / max(self._seconds, 1e-9),
                best,
            )
        )
        self._loss_sum, self._seen = 0.0, 0
        return measure

    def _is_best(self, measure: Measure) -> bool:
        if self.best is None or not len(self._data.validation):
            return True
        rank = (measure.accuracy, -measure.loss)
        return rank > (self.best["accuracy"], -self.best["loss"])

    def _set(self, **options: float) -> None:
        for group in self._optimizer.param_groups:
            group.update(options)
