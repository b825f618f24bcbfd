"""Problem: a network, its prunable weights, the training images and the loss."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from engine import seeds
from engine.data.base import Split
from engine.errors import RunError
from engine.gradients.backward import Objective
from engine.gradients.collector import Collector, Fetch, Rows
from engine.gradients.pages import MEMORY, Pages, Storage
from engine.loss import Loss
from engine.masks import Masks
from engine.monitor import Monitor
from engine.sharing.processes import ALONE, Ranks
from engine.sharing.shares import Holders, held_rows, holders

Fisher = Literal["empirical", "true"]  # labels of the data, or the network's own
Learned = dict[str, dict[str, Tensor]]  # by layer, what an estimator made of it


@dataclass(frozen=True)
class Problem:
    """What an estimator looks at.

    Attributes:
        model: On the compute device.
        names: Prunable parameters, full names such as `layer1.0.conv1.weight`.
        train: Labelled images to take gradients on.
        loss: Suits what the model returns.
        storage: Where gradients are kept, and how exactly.
        thrift: How often memory ran out: halves micro-batches and pages so often.
        ranks: The processes that share the work.
        bootstrap: Samples with replacement that fits take of their gradients.
        learned: What the estimator learned in the prune step before; empty at first.
    """

    model: nn.Module
    names: tuple[str, ...]
    train: Split
    loss: Loss
    storage: Storage = MEMORY
    thrift: int = 0
    ranks: Ranks = ALONE
    bootstrap: int = 0
    learned: Learned = field(default_factory=dict)

    def weights(self) -> dict[str, Tensor]:
        """The prunable weights as they are now, detached, sharing storage."""
        return {name: self.model.get_parameter(name).detach() for name in self.names}

    def draws(self, gradients: Rows, seed: int) -> Tensor | None:
        """Root of how often each gradient comes in each bootstrap sample (draws, N)."""
        if not self.bootstrap or not gradients or self.ranks.size > 1:
            return None  # several processes would have to draw the same
        rows = next(iter(gradients.values()))
        even = torch.ones(self.bootstrap, rows.shape[0])
        stream = seeds.generator(seed, "bootstrap")
        drawn = even.multinomial(rows.shape[0], replacement=True, generator=stream)
        counts = torch.zeros_like(even).scatter_add_(1, drawn, even)
        return counts.sqrt().to(rows.device)

    def only(self, names: tuple[str, ...]) -> "Problem":
        """The same with these weights alone to prune."""
        return replace(self, names=names)

    def thriftier(self, folder: Path) -> "Problem":
        """The same with smaller micro-batches and pages, which `folder` holds."""
        storage = replace(self.storage, folder=folder)
        return replace(self, storage=storage, thrift=self.thrift + 1)

    def knowing(self, learned: Learned) -> "Problem":
        """The same with what an estimator learned, on the devices of the layers."""
        weights = self.weights()
        here = {
            name: {key: value.to(weights[name].device) for key, value in each.items()}
            for name, each in learned.items()
        }
        return replace(self, learned=here)

    def holders(self) -> Holders:
        """Which process holds the curvature of each layer."""
        return holders(self.weights(), self.ranks)

    def gradients(
        self,
        samples: int,
        batch: int,
        seed: int,
        masks: Masks,
        monitor: Monitor,
        fisher: Fisher = "empirical",
    ) -> Rows:
        """Rows of mean-loss gradients in eval mode, removed weights zero if in memory.

        Args:
            samples: Rows wanted (N).
            batch: Images averaged inside each row (b).
            seed: Decides which images, drawn without replacement.
            masks: True = kept; a missing name keeps all.
            monitor: Hears of progress and of every shortage.
            fisher: Whose labels the loss takes, see `fetch`.

        Returns:
            (rows, numel) per prunable parameter, in the dtype of the weights. Rows are
            fewer than `samples` only when b = 1 and there are too few images. `Pages`
            instead of tensors when the storage says so. Each of several processes gets
            the layers it owns, in memory.

        Raises:
            RunError: There are no training images, or no room on the disk.
        """
        groups = draw(len(self.train), samples, batch, seed, monitor)
        fetch = self.fetch(fisher, seed)

        def take(part: Tensor, pages: Rows | None = None) -> Rows:
            first = groups.reshape(-1)
            return self.collector(fetch, first, batch, monitor).rows(
                part, monitor, pages
            )

        if self.storage.paged:
            pages = {
                name: Pages(self.storage, len(groups), weight, self.thrift)
                for name, weight in self.weights().items()
            }
            return take(groups, pages)
        rows = held_rows(take, groups, self.holders(), self.ranks, monitor)
        for name, mask in masks.items():
            if name in rows:
                rows[name].mul_(mask.reshape(-1))
        return rows

    def collector(
        self, fetch: Fetch, first: Tensor, batch: int, monitor: Monitor
    ) -> Collector:
        """What takes gradients over groups of `batch` images, see `Collector`."""
        given = (self.model, self.names, fetch, first, batch, monitor)
        return Collector(*given, self.thrift)

    def fetch(self, fisher: Fisher = "empirical", seed: int = 0) -> Fetch:
        """What gives images and their losses, for `empirical` or `true` Fisher.

        The true Fisher takes labels that the network's softmax would draw. Each image
        has one label per seed, however images are batched.
        """
        if fisher == "empirical":
            return self._fetch
        stream = seeds.generator(seed, "labels")
        chances = torch.rand(len(self.train), generator=stream, dtype=torch.float64)
        return partial(self._fetch_drawn, chances)

    def _fetch_drawn(
        self, chances: Tensor, indices: Tensor
    ) -> tuple[Tensor, Objective]:
        images, _ = self.train.batch(indices)
        given = chances[indices.cpu()].to(images.device)

        def losses(outputs: Tensor) -> Tensor:
            return self.loss.per_sample(outputs, self.loss.draw(outputs, given))

        return images, losses

    def _fetch(self, indices: Tensor) -> tuple[Tensor, Objective]:
        images, labels = self.train.batch(indices)
        return images, partial(self.loss.per_sample, labels=labels)


def draw(images: int, samples: int, batch: int, seed: int, monitor: Monitor) -> Tensor:
    """Image numbers (rows, batch), without replacement as long as the images last.

    Where they do not, single images give fewer rows (a repeated gradient tells
    nothing new) and averaged ones go through the images again in another order.

    Raises:
        RunError: There are no images.
    """
    if images == 0:
        raise RunError(
            "There are no training images to take gradients on.",
            "Set aside fewer images for validation, or choose other data.",
        )
    if batch == 1 and samples > images:
        monitor.notice(
            f"There are {images} training images, so {images} gradients are taken "
            f"instead of {samples}.",
            "Lower the number of gradients (N) to silence this.",
        )
        samples = images
    passes = -(-samples * batch // images)
    if passes > 1:
        monitor.notice(
            f"{samples} gradients of {batch} images each use every one of the {images} "
            f"training images up to {passes} times.",
            "Lower the gradients (N) or the images per gradient (b).",
        )
    generator = torch.Generator().manual_seed(seed)
    order = [torch.randperm(images, generator=generator) for _ in range(passes)]
    return torch.cat(order)[: samples * batch].reshape(samples, batch)
