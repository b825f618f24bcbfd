"""Budget solver: never over the budget, and against trying everything."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.steering.budget import Options, hull, least, solve

numbers = st.integers(0, 12).map(float)


def options(draw_uses, draw_losses):
    return Options(np.array(draw_uses), np.array(draw_losses))


anything = st.integers(1, 5).flatmap(
    lambda n: st.builds(
        options,
        st.lists(numbers, min_size=n, max_size=n),
        st.lists(numbers, min_size=n, max_size=n),
    )
)
problems = st.lists(anything, min_size=1, max_size=4).map(
    lambda each: {f"layer{i}": options for i, options in enumerate(each)}
)


def total(layers, chosen):
    uses = sum(layers[n].uses[k] for n, k in chosen.items())
    return uses, sum(layers[n].losses[k] for n, k in chosen.items())


def everything(layers, budget):
    """The least loss, found by trying every combination."""
    ranges = (range(len(each.uses)) for each in layers.values())
    tried = (dict(zip(layers, each, strict=True)) for each in product(*ranges))
    fits = (total(layers, chosen) for chosen in tried)
    return min(loss for uses, loss in fits if uses <= budget + 1e-9)


def widest(layers):
    """The largest loss between two neighbours on a hull."""
    steps = [0.0]
    for each in layers.values():
        steps += np.diff(each.losses[hull(each)]).tolist()
    return max(steps)


@given(problems, st.floats(0, 1))
def test_it_keeps_to_the_budget_and_is_within_a_step_of_the_best(layers, share):
    most = sum(each.uses.max() for each in layers.values())
    budget = least(layers) + share * (most - least(layers))
    uses, loss = total(layers, solve(layers, budget))
    best = everything(layers, budget)
    assert uses <= budget + 1e-9
    assert best - 1e-9 <= loss <= best + widest(layers) + 1e-9


@given(
    st.lists(st.lists(numbers, min_size=1, max_size=4), min_size=1, max_size=4),
    st.integers(0, 16),
)
def test_rising_prices_of_equal_steps_are_solved_exactly(marginals, gone):
    """As saliencies are: convex, each weight one of the budget."""
    layers = {}
    for number, each in enumerate(marginals):
        losses = np.concatenate([[0.0], np.cumsum(sorted(each))])
        layers[f"layer{number}"] = Options(np.arange(len(each), -1.0, -1.0), losses)
    budget = max(sum(len(each) for each in marginals) - gone, 0)
    _, loss = total(layers, solve(layers, budget))
    flat = sorted(value for each in marginals for value in each)
    assert loss == pytest.approx(sum(flat[: min(gone, len(flat))]))


@given(anything)
def test_a_hull_has_nothing_below_it(each):
    at = hull(each)
    x, y = each.uses[at][::-1], each.losses[at][::-1]
    inside = (each.uses >= x[0]) & (each.uses <= x[-1])
    below = np.interp(each.uses[inside], x, y)
    assert (each.losses[inside] >= below - 1e-9).all()
    assert y[-1] == each.losses.min() and x[0] == each.uses.min()


def test_small_leftovers_are_filled():
    """A single large step leaves room that another layer can take back."""
    layers = {
        "a": Options(np.array([10.0, 0.0]), np.array([0.0, 10.0])),
        "b": Options(np.array([4.0, 0.0]), np.array([0.0, 4.4])),
    }
    assert solve(layers, 5.0) == {"a": 1, "b": 0}
    assert solve(layers, 14.0) == {"a": 0, "b": 0}
    assert solve(layers, 10.0) == {"a": 0, "b": 1}
    assert solve({}, 0.0) == {}
