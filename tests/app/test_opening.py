"""Opening files and folders, and naming new run folders."""

import json
from datetime import datetime

import pytest

from app.naming import run_folder
from app.opening import open_path
from engine.errors import InputError
from engine.recipe import Recipe, dump, with_changes

SEEDED = with_changes(Recipe(), {"machine.seed": 9})


def test_a_recipe_file_is_the_recipe(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(dump(SEEDED))
    opened = open_path(path, Recipe())
    assert opened.recipe == SEEDED
    assert opened.run is None


def test_a_run_folder_brings_its_recipe(tmp_path):
    (tmp_path / "recipe.json").write_text(dump(SEEDED))
    opened = open_path(tmp_path, Recipe())
    assert opened.recipe == SEEDED
    assert opened.run == tmp_path


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors", ".PTH"])
def test_a_checkpoint_goes_to_the_present_network(tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    path.touch()
    recipe = open_path(path, SEEDED).recipe
    assert recipe.model.checkpoint == str(path)
    assert recipe.machine.seed == 9


@pytest.mark.parametrize(
    ("name", "group", "kind"),
    [("net.py", "model", "file"), ("x.npz", "data", "arrays")],
)
def test_other_files_choose_their_kind(tmp_path, name, group, kind):
    path = tmp_path / name
    path.touch()
    part = getattr(open_path(path, Recipe()).recipe, group)
    assert part.kind == kind
    assert part.file == str(path)


def test_another_folder_is_taken_for_images(tmp_path):
    assert open_path(tmp_path, Recipe()).recipe.data.folder == str(tmp_path)


@pytest.mark.parametrize(
    "content", ["{", "[]", json.dumps({"model": {"kind": "x"}}), '{"a": 1}']
)
def test_a_bad_recipe_is_refused_with_a_hint(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        open_path(path, Recipe())
    assert caught.value.hint


@pytest.mark.parametrize("name", ["missing.json", "photo.jpg"])
def test_what_cannot_be_opened_is_said(tmp_path, name):
    if name != "missing.json":
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=name):
        open_path(tmp_path / name, Recipe())


def test_run_folders_tell_when_what_and_how_far(tmp_path):
    now = datetime(2026, 1, 31, 14, 25, 1)
    first = run_folder(tmp_path, Recipe(), now)
    assert first.name == "20260131-142501-demo-woodfisher-90"
    first.mkdir()
    assert run_folder(tmp_path, Recipe(), now).name == f"{first.name}-2"
