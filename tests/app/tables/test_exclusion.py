"""Exclusion: patterns and names that change no other layer."""

from hypothesis import given
from hypothesis import strategies as st

from app.tables.exclusion import covering, excluding, including

LAYERS = ("conv1.weight", "a.0.weight", "a.1.weight", "b.0.weight", "fc.weight")
PATTERNS = (
    "*",
    "a",
    "fc",
    "a.*",
    "*.0.*",
    "conv1.weight",
    "fc.*",
    "nothing.*",
    "a.1.weight",
)


def out(patterns):
    return {name for name in LAYERS if covering(name, patterns)}


def test_names_and_wildcards_cover():
    assert covering("a.0.weight", ("fc.*", "a.?.weight")) == "a.?.weight"
    assert covering("a.0.weight", ("a.0.weight",)) == "a.0.weight"
    assert covering("a.0.weight", ("A.*", "0", "a.0.w")) == ""


def test_a_layer_that_is_excluded_already_is_not_named_again():
    assert excluding(("a.*",), ["a.0.weight", "fc.weight"]) == ("a.*", "fc.weight")


def test_a_pattern_is_replaced_in_its_place_by_the_others():
    patterns = ("conv1.weight", "a.*", "fc.*")
    assert including(patterns, ["a.0.weight"], LAYERS) == (
        "conv1.weight", "a.1.weight", "fc.*",
    )  # fmt: skip


def test_a_layer_two_patterns_cover_is_freed_of_both():
    assert including(("a.*", "*.0.*"), ["a.0.weight"], LAYERS) == (
        "a.1.weight", "b.0.weight",
    )  # fmt: skip


def test_others_that_stay_covered_are_not_spelled_out():
    assert including(("*", "fc.*", "a.1.*"), ["conv1.weight"], LAYERS) == (
        "a.0.weight", "b.0.weight", "fc.*", "a.1.*",
    )  # fmt: skip


@given(
    st.lists(st.sampled_from(PATTERNS), unique=True), st.sets(st.sampled_from(LAYERS))
)
def test_only_the_named_layers_change(patterns, names):
    patterns = tuple(patterns)
    assert out(including(patterns, names, LAYERS)) == out(patterns) - names
    assert out(excluding(patterns, names)) == out(patterns) | names


def test_names_that_look_like_patterns_mean_themselves():
    layers = ("m[0].weight", "m0.weight")
    patterns = excluding((), ["m[0].weight"])
    assert covering("m[0].weight", patterns) and not covering("m0.weight", patterns)
    assert including(patterns, ["m[0].weight"], layers) == ()
