"""Recipes: defaults, files, changes and refusals."""

import json

import pytest

from engine.errors import InputError
from engine.estimators import ESTIMATORS, Magnitude
from engine.part import settings, title_of
from engine.recipe import Recipe, dump, load, parse, with_changes


def test_an_empty_recipe_is_the_demo_pruned_by_woodfisher_with_fine_tuning():
    recipe = parse({})
    kinds = (recipe.model.kind, recipe.data.kind, recipe.estimator.kind)
    assert kinds == ("demo", "digits", "woodfisher")
    assert recipe.finetune.epochs > 0


def test_a_recipe_survives_its_file(tmp_path):
    recipe = with_changes(Recipe(), {"estimator.samples": 17, "machine.seed": 3})
    path = tmp_path / "recipe.json"
    path.write_text(dump(recipe))
    assert load(path) == recipe


def test_a_group_without_kind_means_the_default_kind():
    assert parse({"estimator": {"samples": 5}}).estimator == ESTIMATORS[0](samples=5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"estimater": {}}, "estimater: there is no such setting"),
        ({"estimator": {"sample": 5}}, "estimator.sample: there is no such setting"),
        ({"estimator": {"samples": 0}}, "estimator.samples"),
        ({"estimator": {"damping": "x"}}, "estimator.damping"),
        ({"estimator": {"damping": float("nan")}}, "estimator.damping"),
        ({"estimator": {"kind": "magic"}}, "no kind 'magic'; use 'woodfisher'"),
        ({"allocation": {"sparsity": 1.0}}, "allocation.sparsity"),
        ({"estimator": 5}, "estimator: It must be a group of settings in braces"),
        ({"version": 99}, "version"),
        ([], "It must be a group of settings in braces"),
        (
            {"schedule": {"kind": "gradual", "end": 9}, "finetune": {"epochs": 2}},
            "epoch 9",
        ),
        (
            {"schedule": {"kind": "gradual", "start": 5, "end": 3}},
            "comes before the first",
        ),
    ],
)
def test_wrong_recipes_are_refused_naming_the_key(content, words):
    with pytest.raises(InputError) as caught:
        parse(content)
    assert words in caught.value.message
    assert caught.value.details


@pytest.mark.parametrize("text", ["", "{", "\x00\x01", "[" * 100_000])
def test_files_that_are_no_recipe(tmp_path, text):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(InputError, match="not a JSON file"):
        load(path)


def test_a_missing_and_a_huge_file(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        load(tmp_path / "none.json")
    path = tmp_path / "huge.json"
    path.write_bytes(b" " * 2_000_000)
    with pytest.raises(InputError, match="too large"):
        load(path)


def test_changing_the_kind_keeps_shared_settings():
    recipe = with_changes(Recipe(), {"allocation.sparsity": 0.7})
    changed = with_changes(recipe, {"allocation.kind": "uniform"})
    assert changed.allocation.kind == "uniform"
    assert changed.allocation.sparsity == 0.7
    magnitude = with_changes(recipe, {"estimator.kind": "magnitude"})
    assert magnitude.estimator == Magnitude()


@pytest.mark.parametrize("key", ["samples", "nothing.x", "version", "a.b.c", ""])
def test_unknown_keys_in_changes(key):
    with pytest.raises(InputError):
        with_changes(Recipe(), {key: 1})


def test_every_setting_has_a_title_and_a_sentence_of_help():
    for group in settings(Recipe):
        for part in group.choices:
            assert title_of(part)
            for setting in settings(part):
                assert setting.title and setting.help.endswith("."), setting


def test_every_default_is_within_its_bounds_and_serialisable():
    json.dumps(Recipe().model_dump(mode="json"), allow_nan=False)
    for group in settings(Recipe):
        for part in group.choices:
            part.model_validate(part().model_dump())
