"""Fitting a profile to a budget or to a bound on lost accuracy, as a look."""

from collections.abc import Callable

from torch import Tensor

from engine.errors import InputError
from engine.evaluate import Measure
from engine.events import Event
from engine.looking.bench import Bench
from engine.looking.look import look
from engine.monitor import Control, Monitor
from engine.recipe import Recipe
from engine.steering.profile import Profiles, Unmet
from engine.steering.spending import Spending
from engine.steering.study import Study
from engine.steering.what_if import Counts, WhatIf
from engine.steering.wish import Fit, Kept, Wish
from engine.words.units import accuracy, exact, many, percent

IMAGES = 2000  # most that an accuracy is measured on
HALVINGS = 10  # of the share of weights left
COUNTED = {
    "weights": "weights",
    "macs": "multiply-accumulates",
    "bytes": "bytes",
    "milliseconds": "milliseconds",
}
FEW = 50  # images below which an accuracy is a rough guess


def fit_profile(
    recipe: Recipe,
    study: Study,
    wish: Wish,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    trust: frozenset[str] = frozenset(),
) -> Fit | None:
    """Find the sparsity of each layer for a wish; see `look`.

    A bound on accuracy is met by bisection: each try is measured as masks alone on the
    same images. The cheapest profile is bisected by the weights that are left, a drawn
    one by how much all its sparsities are lowered alike. That takes accuracy to fall as
    weights go, which it does but for the noise of few images.

    Args:
        recipe: With which it was scored.
        study: The scored network.
        wish: What is asked for.
        emit: Receives every event on this thread; must not block.
        control: Pause, resume and stop.
        trust: SHA-256 digests of Python files that may be executed.

    Returns:
        The profile, or None when it was stopped.

    Raises:
        InputError: It cannot be met, or losses are unknown; after `LookEnded`.
        EngineError: The recipe cannot run; after `LookEnded`.
    """

    def work(monitor: Monitor) -> tuple[Fit, str]:
        found = _Fitting(recipe, study, wish, trust, monitor).fit()
        left = percent(found.used / found.whole) if found.whole else "none"
        layers, kept = many(len(found.units), "layer"), found.kept
        if kept is None:
            return (
                found,
                f"Fitted {layers} to {left} of the dense {COUNTED[wish.goal]}.",
            )
        return found, (
            f"Fitted {layers} to accuracy {accuracy(kept.now)} of "
            f"{accuracy(kept.dense)} on {exact(kept.images)} {kept.source} images."
        )

    return look("Fitting a profile", recipe, work, emit, control)


class _Fitting:
    """One wish, and what its fulfilment needs."""

    def __init__(
        self,
        recipe: Recipe,
        study: Study,
        wish: Wish,
        trust: frozenset[str],
        monitor: Monitor,
    ) -> None:
        self._recipe, self._study, self._trust = recipe, study, trust
        self._wish, self._monitor = wish, monitor
        what_if = WhatIf(study.ranking)
        self._profiles = Profiles(what_if, wish.allocation, wish.locked, wish.measured)
        if wish.drawn is None and not self._profiles.knows_losses:
            raise InputError(
                "The saliencies of this method are no losses, so none are predicted.",
                "Measure all layers under Sensitivity, or draw a profile.",
            )
        if wish.goal == "milliseconds" and wish.times is None:
            raise InputError("The layers have not been timed.", "Time them first.")
        self._layers = what_if.layers(wish.allocation)
        if not self._layers:
            raise InputError("No layer is left to prune.", "Exclude fewer layers.")

    def fit(self) -> Fit:
        wish, ranking, layers = self._wish, self._study.ranking, self._layers
        spending = Spending(ranking, layers, wish.currency, wish.times)
        kept = None
        if wish.goal == "accuracy":
            units, kept = self._keep(spending)
        elif wish.drawn is None:
            units = self._profiles.cheapest(spending, wish.amount)
        else:
            units = self._profiles.nearest(wish.drawn, spending, wish.amount)
        zeros = {n: e.zeros + e.weights(units[n]) for n, e in layers.items()}
        return Fit(wish, units, spending.total(zeros), spending.whole, kept)

    def _keep(self, spending: Spending) -> tuple[Counts, Kept]:
        with self._monitor.phase("load"):
            bench = Bench(self._recipe, self._study, self._trust, self._monitor)
        images = bench.draw(IMAGES, self._wish.label)
        if not len(images):
            raise InputError(
                f"There is no {bench.source} image of this class.",
                "Choose another class, or raise data.validation.",
            )
        if len(images) < FEW:
            self._monitor.notice(
                f"Accuracy rests on {len(images)} {bench.source} images, so one image "
                f"is {100 / len(images):.1f} points.",
                "Raise data.validation for a finer bound.",
            )
        with self._monitor.phase("evaluate"):
            return self._bisect(bench, images, spending)

    def _bisect(
        self, bench: Bench, images: Tensor, spending: Spending
    ) -> tuple[Counts, Kept]:
        """The boldest profile that loses no more than the wish allows."""
        tries = HALVINGS + 3
        progress = self._monitor.progress("Trying profiles", tries * len(images))

        def measured(units: Counts) -> float:
            bench.cut(units)
            return Measure.of(bench.results(images, progress)).accuracy

        dense = measured({})
        allowed = dense - self._wish.amount - 1e-9
        units = self._cautious(spending, 1.0)
        now = measured(units)
        if now < allowed:
            raise InputError(
                f"This loses {dense - now:.1f} points before anything is chosen.",
                "Lower floors and overrides, unlock layers, or allow more points.",
            )
        low, high, middle = 0.0, 1.0, 0.0
        for _ in range(HALVINGS + 1):
            try:
                tried = self._cautious(spending, middle)
            except Unmet:
                low = middle
            else:
                seen = measured(tried)
                if seen >= allowed:
                    high, units, now = middle, tried, seen
                else:
                    low = middle
            middle = (low + high) / 2
        return units, Kept(now, dense, len(images), bench.source)

    def _cautious(self, spending: Spending, share: float) -> Counts:
        """Of all profiles from the boldest (0) to the one that takes least (1)."""
        if self._wish.drawn is None:
            return self._profiles.cheapest(spending, share * spending.whole)
        return self._profiles.lowered(self._wish.drawn, share)
