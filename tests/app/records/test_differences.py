"""Settings in which recipes differ, also those of other versions."""

from app.records.differences import ABSENT, differences, help_of
from engine.recipe import Recipe, with_changes


def test_only_settings_that_differ_are_told():
    one = Recipe()
    two = with_changes(one, {"allocation.sparsity": 0.5, "machine.seed": 3})
    found = differences([r.model_dump(mode="json") for r in (one, two, one)])
    assert found == [
        ("allocation.sparsity", ["0.9", "0.5", "0.9"]),
        ("machine.seed", ["0", "3", "0"]),
    ]
    assert differences([one.model_dump(mode="json")] * 3) == []


def test_settings_that_only_one_kind_has_are_absent_elsewhere():
    one, two = Recipe(), with_changes(Recipe(), {"estimator.kind": "magnitude"})
    found = dict(differences([r.model_dump(mode="json") for r in (one, two)]))
    assert found["estimator.kind"] == ["woodfisher", "magnitude"]
    assert found["estimator.samples"][1] == ABSENT


def test_recipes_of_other_versions_are_compared_too():
    found = differences([{"a": {"b": []}, "c": 1}, {"a": {"b": [1, 2]}, "c": None}])
    assert found == [("a.b", ["none", "1, 2"]), ("c", ["1", "none"])]
    assert help_of("a.b") == "" and "fraction" in help_of("allocation.sparsity").lower()
