"""Recipes: defaults, files, changes and refusals."""

import json

import pytest

from engine.errors import InputError
from engine.estimators import ESTIMATORS, Magnitude
from engine.part import settings, title_of
from engine.recipe import Recipe, changed, dump, load, parse, with_changes


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


def test_a_slip_in_a_recipe_is_said_with_its_place(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text('{\n  "allocation": {"sparsity" 0.9}\n}')
    with pytest.raises(InputError, match="line 2 column 29") as caught:
        load(path)
    assert "Correct it there" in caught.value.hint


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


def test_changes_mend_a_file_that_is_not_valid():
    content = {"estimator": {"kind": "wood", "samples": 7}, "machine": {"seed": "x"}}
    mended = changed(content, {"estimator.kind": "mfac", "machine.seed": 1})
    recipe = parse(mended)
    assert (recipe.estimator.kind, recipe.estimator.samples) == ("mfac", 7)
    assert recipe.machine.seed == 1
    assert content["machine"] == {"seed": "x"}


def test_a_new_kind_does_not_hide_a_mistyped_setting():
    content = {"estimator": {"sample": 7}}
    with pytest.raises(InputError, match=r"estimator\.sample: there is no such"):
        parse(changed(content, {"estimator.kind": "kfac"}))


@pytest.mark.parametrize("content", [[], {"estimator": 5}])
def test_what_cannot_be_mended_is_still_refused(content):
    with pytest.raises(InputError, match="a group of settings in braces"):
        parse(changed(content, {"estimator.samples": 5, "estimator.kind": "kfac"}))


@pytest.mark.parametrize("kind", [["kfac"], 3, None])
def test_a_kind_that_is_no_word(kind):
    with pytest.raises(InputError):
        parse(changed({}, {"estimator.kind": kind}))


@pytest.mark.parametrize(
    ("content", "values", "words"),
    [
        ({"machine": {"seed": -1}}, {}, "a.json is not valid: machine.seed: "),
        (
            {"machine": {"seed": -1}},
            {"estimator.samples": 0},
            "a.json is not valid: --set estimator.samples: Input",
        ),
        ({}, {"machine.seed": -1}, "The changes are not valid: --set machine.seed: "),
        ({}, {"estimator.kind": "x"}, "not valid: --set estimator.kind: there is no"),
        ({}, {"allocation.floor": {"fc": 2}}, "valid: --set allocation.floor: Input"),
        (
            {"finetune": {"epochs": 2}},
            {"schedule.kind": "gradual", "schedule.end": 9},
            "a.json with --set schedule.kind, --set schedule.end is not valid: The",
        ),
    ],
)
def test_a_complaint_names_the_file_or_the_change(content, values, words):
    said = {key: f"--set {key}" for key in values}
    with pytest.raises(InputError) as caught:
        parse(changed(content, values), "a.json", said)
    assert words in caught.value.message


def test_a_wrong_map_or_list_says_how_it_is_written():
    with pytest.raises(InputError) as caught:
        parse({"allocation": {"floor": {"fc": "fc"}}})
    assert "--set allocation.floor='fc=0.5, layer3=0.9'" in caught.value.hint
    with pytest.raises(InputError) as caught:
        parse({"machine": {"seed": -1}})
    assert "Write" not in caught.value.hint


def test_a_file_is_named_where_it_is_not_valid(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text('{"machine": {"seed": -1}}')
    with pytest.raises(InputError, match=r"recipe\.json is not valid"):
        load(path)


def test_a_run_folder_stands_for_its_recipe(tmp_path):
    (tmp_path / "recipe.json").write_text('{"allocation": {"sparsity": 0.7}}')
    assert load(tmp_path).allocation.sparsity == 0.7
    (tmp_path / "recipe.json").unlink()
    with pytest.raises(InputError, match="Is a directory"):
        load(tmp_path)
