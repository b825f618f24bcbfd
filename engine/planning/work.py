"""Work: what a prune step takes, in passes and products, before it is taken."""

from dataclasses import dataclass

from engine.facts import LayerInfo

READING = 4  # times slower is elimination, half of it products with a vector
EIGEN = 10  # products of a matrix with itself that its eigenvectors take
SINGLE = 2.2  # times a pass that also gives each image's own gradient


@dataclass(frozen=True)
class Work:
    """What an estimator takes to fit.

    Attributes:
        passes: Images passed forward and back.
        products: Float64 multiply-accumulates beside them.
    """

    passes: float = 0.0
    products: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.passes + other.passes, self.products + other.products)


def sides(layer: LayerInfo) -> tuple[int, int]:
    """(outputs, inputs of one output) of a weight as a matrix."""
    return layer.shape[0], layer.weights // layer.shape[0]


def inputs_work(layer: LayerInfo, images: int) -> float:
    """Products for the second moments of what a layer sees."""
    return images * layer.macs / layer.weights * sides(layer)[1] ** 2


def outputs_work(layer: LayerInfo, images: int) -> float:
    """Products for the second moments of the gradients of its outputs."""
    return images * layer.macs / layer.weights * sides(layer)[0] ** 2
