"""Events as lines of JSON and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.comparing.cells import CELL_EVENTS
from engine.errors import InputError
from engine.events import EVENTS, Evaluated, Histogram, LayerState, Pruned, Scored
from engine.records.codec import from_json, to_json


@pytest.mark.parametrize("event", (*EVENTS, *CELL_EVENTS))
@given(data=st.data())
def test_every_event_survives_a_round_trip(event, data):
    sent = data.draw(st.builds(event))
    assert repr(from_json(to_json(sent))) == repr(sent)  # NaN is not equal to itself


def test_nested_layers_keep_their_types():
    bars = Histogram("a.weight", -3.0, 1.0, (1, 2), (0, 4), cut=None)
    sent = Scored(1, (bars,), time=2.5)
    assert from_json(to_json(sent)) == sent
    state = LayerState("a.weight", 10, 9, 0.9, 1e-7)
    pruned = Pruned(1, 2, 0.5, 0.9, 0.8, 9, (state,), 0.1, None)
    assert from_json(to_json(pruned)).layers[0] == state


def test_a_loss_that_is_not_finite_is_still_one_line_of_json():
    line = to_json(Evaluated("final", "test", 1.0, float("nan"), 10.0, 0.9))
    assert "\n" not in line and math.isnan(from_json(line).loss)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        '{"event":"Nothing"}',
        '{"event":"Saved"}',
        '{"event":[]}',
        "null",
        "1",
        "[" * 100_000,
    ],
)
def test_other_lines_are_refused_in_words(line):
    with pytest.raises(InputError, match="Not an event"):
        from_json(line)
