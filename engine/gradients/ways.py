"""Ways: how the gradients of each weight are taken in one batched pass."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from engine.gradients.outer import BATCHED
from engine.gradients.vmapped import Callers, called, callers

Owners = dict[nn.Module, str]  # module -> full name of its weight


@dataclass(frozen=True)
class Ways:
    """Who serves which weights.

    Attributes:
        owners: Linear and convolution modules, by products of inputs and slopes.
        callers: Other modules, by vmap over their own backward.
    """

    owners: Owners = field(default_factory=dict)
    callers: Callers = field(default_factory=dict)

    @property
    def vmapped(self) -> set[str]:
        """Weights that take the slower way."""
        return {name for inner in self.callers.values() for name in inner.values()}

    @property
    def names(self) -> set[str]:
        """Weights that are served."""
        return self.vmapped | set(self.owners.values())

    def of(self, names: set[str]) -> "Ways":
        """Only these weights."""
        owners = {m: name for m, name in self.owners.items() if name in names}
        inner = {
            module: {own: name for own, name in uses.items() if name in names}
            for module, uses in self.callers.items()
        }
        return Ways(owners, {module: uses for module, uses in inner.items() if uses})


def ways_of(model: nn.Module, weights: dict[str, Tensor], images: Tensor) -> Ways:
    """Owners where a module that is called can be one, callers for all other uses."""
    reached = called(model, images)
    owners = {
        module: name
        for module, name in batchable(model, weights).items()
        if module in reached
    }
    return Ways(owners, callers(model, weights, reached, set(owners)))


def batchable(model: nn.Module, weights: dict[str, Tensor]) -> Owners:
    """Modules that hold one of these weights and whose kind can be batched."""
    names = {id(weight): name for name, weight in weights.items()}
    return {
        module: names[id(module.weight)]
        for module in model.modules()
        if type(module) in BATCHED and id(module.weight) in names
    }
