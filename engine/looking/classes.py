"""Classes: who gets hurt, as counts and newly wrong images."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np


@dataclass(frozen=True)
class ClassChange:
    """One class before and after.

    Attributes:
        name: Of the class.
        images: That there are of it.
        before, after: How many of them are named right.
        lost, won: How many have become wrong, and right.
    """

    name: str
    images: int
    before: int
    after: int
    lost: int
    won: int

    @property
    def accuracies(self) -> tuple[float, float]:
        """Before and after, in percent; NaN without images."""
        share = 100 / self.images if self.images else nan
        return self.before * share, self.after * share

    @property
    def change(self) -> float:
        """Of the accuracy, in points."""
        before, after = self.accuracies
        return after - before

    @property
    def error(self) -> float:
        """Standard error of the change in points: the same images are looked at twice.

        Each image changes by -1, 0 or 1; NaN of fewer than two images.
        """
        if self.images < 2:
            return nan
        mean = (self.won - self.lost) / self.images
        variance = (self.won + self.lost) / self.images - mean**2
        return 100 * sqrt(max(variance, 0.0) / (self.images - 1))


@dataclass(frozen=True)
class Confusion:
    """How often one class is taken for another, before and after."""

    truth: str
    says: str
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class NewlyWrong:
    """An image that was named right and is not any more.

    Attributes:
        number: In its split, from 0.
        truth, says: Its class, and what it is taken for now.
        sure: Probability of that, and `was_sure` of the right answer before.
        picture: Pixels (height, width, 3) uint8; None where inputs are no pictures.
    """

    number: int
    truth: str
    says: str
    sure: float
    was_sure: float
    picture: np.ndarray | None


@dataclass(frozen=True, eq=False)
class ClassReport:
    """Two networks on the same images.

    Attributes:
        split: Which images.
        classes: All of them, in the order of the data.
        confusion: The one that grew most; None where none did.
        wrong: Newly wrong images, the surest first; not more than can be looked at.
    """

    split: str
    classes: tuple[ClassChange, ...]
    confusion: Confusion | None
    wrong: tuple[NewlyWrong, ...]

    @property
    def whole(self) -> ClassChange:
        """All classes together."""
        fields = ("images", "before", "after", "lost", "won")
        sums = {n: sum(getattr(each, n) for each in self.classes) for n in fields}
        return ClassChange("All classes", **sums)


def changes(
    names: tuple[str, ...], labels: np.ndarray, before: np.ndarray, after: np.ndarray
) -> tuple[ClassChange, ...]:
    """Every class.

    Args:
        names: Of the classes.
        labels: Their numbers (images,).
        before: What the first network says (images,).
        after: What the second one says.
    """

    def count(chosen: np.ndarray) -> list[int]:
        return np.bincount(labels[chosen], minlength=len(names)).tolist()

    was, now = before == labels, after == labels
    parts = (was | True, was, now, was & ~now, now & ~was)
    rows = zip(names, *(count(part) for part in parts), strict=True)
    return tuple(ClassChange(*row) for row in rows)


def grown(
    names: tuple[str, ...], labels: np.ndarray, before: np.ndarray, after: np.ndarray
) -> Confusion | None:
    """The confusion that grew by most images; None where none grew. See `changes`."""
    size = len(names)

    def table(says: np.ndarray) -> np.ndarray:
        cells = np.bincount(labels * size + says, minlength=size * size)
        cells = cells.reshape(size, size)
        np.fill_diagonal(cells, 0)
        return cells

    tables = table(before), table(after)
    more = tables[1] - tables[0]
    truth, says = np.unravel_index(int(more.argmax()), more.shape)
    if more[truth, says] <= 0:
        return None
    counts = (int(each[truth, says]) for each in tables)
    return Confusion(names[truth], names[says], *counts)
