"""FishLeg's auxiliary loss: what it measures of an inverse, and how it is learned."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.curvature.fishleg import Structure
from engine.curvature.layer_fisher import fisher_products
from engine.gradients.collector import Fetch
from engine.gradients.ways import Owners
from engine.masks import Masks
from engine.monitor import Monitor
from engine.problem import Problem

PIECE = 32  # images whose activations are kept at once
Tensors = dict[str, Tensor]
Structures = dict[str, Structure]


@dataclass(frozen=True)
class Certificate:
    """What random probes u say of one layer's inverse, v = Q u.

    Attributes:
        scale: The c for which c Q has the least auxiliary loss.
        value: That least loss per probe, -(u^T v)^2 / (2 v^T (F + gamma I) v).
        error: ||c (F + gamma I) v - u||^2 over the probes.
        size: ||u||^2 over the probes.
    """

    scale: float
    value: float
    error: float
    size: float


def residual(found: Collection[Certificate]) -> float:
    """||(F + gamma I) Q u - u|| / ||u|| of these layers together; 0 for no weights."""
    error, size = sum(each.error for each in found), sum(each.size for each in found)
    return (error / size) ** 0.5 if size else 0.0


@dataclass(frozen=True)
class Learning:
    """How Q is learned.

    Attributes:
        iterations: Steps of Adam, its rate falling to 0 as a cosine.
        rate: Largest change of a factor in one step, as a share of itself.
        batch: Images per step.
        probes: Random vectors per step.
    """

    iterations: int
    rate: float
    batch: int
    probes: int


@dataclass(frozen=True)
class Auxiliary:
    """A = E_u [1/2 v^T (F + gamma I) v - u^T v], v = M Q M u, u normal, by layer.

    Its minimiser is the inverse of the damped Fisher of the live weights, as near as
    the structure comes. F is each layer's own, a mean over images.

    Attributes:
        problem: The network.
        owners: Modules of its weights.
        order: Image numbers (images,) that make F.
        fetch: Gives images and their losses.
        masks: M, True = kept.
        damping: Gamma.
    """

    problem: Problem
    owners: Owners
    order: Tensor
    fetch: Fetch
    masks: Masks
    damping: float

    def certify(
        self,
        found: Structures,
        probes: int,
        generator: torch.Generator,
        monitor: Monitor,
    ) -> dict[str, Certificate]:
        """Try the inverses on fresh probes with all the images.

        Raises:
            RunError: A layer saw no gradient, or one that is not finite.
        """
        given = self.probes(probes, generator)
        with torch.no_grad():
            v = self._inverted(found, given)
            pieces = self.order.split(PIECE)
            damped = self._damped(v, monitor.track(pieces, "Fisher products"))
        return {name: _certificate(given[name], v[name], damped[name]) for name in v}

    def learn(
        self,
        start: Structures,
        learning: Learning,
        generator: torch.Generator,
        monitor: Monitor,
    ) -> Structures:
        """Follow the preconditioned slope <Q r, v>, r = (F + gamma I) v - u held fixed.

        Q times the residual makes a Newton-like step; the changes are shares of the
        factors, so neither depends on the units of the network.
        """
        shares = {name: each.still() for name, each in start.items()}
        free = [value for each in shares.values() for value in each.tensors().values()]
        adam = torch.optim.Adam(free, learning.rate)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(adam, learning.iterations)
        for step in monitor.track(range(learning.iterations), "Auxiliary steps"):
            u = self.probes(learning.probes, generator)
            now = {name: each.moved(shares[name]) for name, each in start.items()}
            v = self._inverted(now, u)
            with torch.no_grad():
                images = self._batch(step, learning.batch)
                damped = self._damped(v, images.split(PIECE))
                r = self._inverted(now, {name: damped[name] - u[name] for name in u})
                sizes = {name: (u[name] * v[name]).sum() + 1e-30 for name in u}
            loss = sum((r[name] * v[name]).sum() / sizes[name] for name in u)
            adam.zero_grad()
            loss.backward()
            adam.step()
            decay.step()
        with torch.no_grad():
            return {name: each.moved(shares[name]) for name, each in start.items()}

    def probes(self, count: int, generator: torch.Generator) -> Tensors:
        """Normal u (count, *weight shape) on the live weights, alike on any device."""
        return {
            name: torch.randn(count, *weight.shape, generator=generator).to(weight)
            * self.masks[name]
            for name, weight in self.problem.weights().items()
        }

    def _inverted(self, found: Structures, u: Tensors) -> Tensors:
        """M Q u."""
        return {name: found[name].product(u[name]) * self.masks[name] for name in u}

    def _damped(self, v: Tensors, pieces: Iterable[Tensor]) -> Tensors:
        """M (F + gamma I) v with the Fisher of the images in these pieces."""
        found = fisher_products(self.problem, self.owners, pieces, self.fetch, v)
        return {
            name: (found[name] + self.damping * v[name].detach()) * self.masks[name]
            for name in v
        }

    def _batch(self, step: int, size: int) -> Tensor:
        """Image numbers of a step; the steps go round and round."""
        size = min(size, len(self.order))
        places = torch.arange(step * size, (step + 1) * size)
        return self.order[places % len(self.order)]


def _certificate(u: Tensor, v: Tensor, damped: Tensor) -> Certificate:
    u, v, damped = u.double(), v.double(), damped.double()
    along, curved = float((u * v).sum()), float((v * damped).sum())
    scale = along / curved if curved else 1.0
    return Certificate(
        scale=scale,
        value=-along * scale / 2 / len(u),
        error=float((scale * damped - u).square().sum()),
        size=float(u.square().sum()),
    )
