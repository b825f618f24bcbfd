"""Weight words: where a weight is, how much it matters and who takes over."""

import numpy as np

from app.plots.weight_grid import Cells, Window
from app.tables import weight_words as words
from engine.looking.layer_weights import (
    LayerWeights,
    Mover,
    Saliency,
    SingleRemoval,
)
from engine.recipe import parse

SHAPE = (4, 3, 2, 2)


def test_places_are_told_by_dimension():
    usual = words.dimensions("Conv2d")
    assert words.place(SHAPE, 17, usual) == "output 1, input 1, kernel 0, 1"
    assert words.place((4, 3), 5, usual) == "output 1, input 2"
    turned = words.dimensions("ConvTranspose2d")
    assert words.place(SHAPE, 17, turned).startswith("input 1, output 1")
    assert words.place((9, 4), 4, words.dimensions("Embedding")) == "entry 1, feature 0"


def test_a_weight_stays_would_go_or_is_gone():
    layer = LayerWeights(
        "a.weight",
        np.array([[-0.5, 0.25, 0.0]]),
        np.array([[False, False, True]]),
        np.array([[False, True, False]]),
    )
    told = [words.told(layer, position, words.USUAL) for position in range(3)]
    assert told[0] == "output 0, input 0: weight \N{MINUS SIGN}0.5, stays"
    assert told[1].endswith("0.25, would go") and told[2].endswith("0, is gone")


def test_ranks_are_told_as_far_as_they_are_known():
    one = words.matters(Saliency(0.5, 3, 1000))
    assert one == "Saliency 0.5, rank 3 of 1,000 in its layer."
    assert words.matters(Saliency(0.5, 3, 10, 7, 99)).endswith(", 7 of 99 overall.")
    assert words.matters(None) == ""


def test_removals_say_what_they_foretell():
    mover = Mover("a.weight", 1, 0.5, -0.25)
    known = SingleRemoval("a.weight", 0, 1.0, 0.125, (mover,), 0.5, None)
    told = words.removal(known)
    assert "raise the loss by +0.12" in told and "1 survivor below" in told
    assert "50.0 % of all moves" in told
    unknown = SingleRemoval("a.weight", 0, 1.0, None, (mover,), 0.5, None)
    assert "loss" not in words.removal(unknown)
    none = SingleRemoval("a.weight", 0, 1.0, None, (), 0.0, None)
    assert words.removal(none) == "No survivor would move."


def test_methods_that_move_nothing_say_why():
    off = parse({"estimator": {"compensation": "none"}})
    assert "Compensation of WoodFisher is off" in words.no_moves(off)
    plain = parse({"estimator": {"kind": "magnitude"}})
    assert "Magnitude corrects nothing" in words.no_moves(plain)
    assert words.no_moves(parse({})) == ""


def test_cells_of_several_weights_say_what_they_show():
    values = np.zeros((2, 2))
    several = Cells(Window(0, 8, 0, 6), 4, 3, values, values, values)
    assert "4\N{MULTIPLICATION SIGN}3 weights" in words.summed_up(several, False)
    assert "largest size" in words.summed_up(several, False)
    assert "the mean size" in words.summed_up(several, True)
    single = Cells(Window(0, 2, 0, 2), 1, 1, values, values, values)
    assert words.summed_up(single, True) == words.summed_up(None, True) == ""
