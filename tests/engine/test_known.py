"""Images are read once for all runs alike, and every run hears what was noticed."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import InputError
from engine.events import DataLoaded, Noticed
from engine.known import Known
from engine.monitor import Monitor
from engine.recipe import parse, with_changes

CPU = torch.device("cpu")


@pytest.fixture
def recipe(tmp_path):
    for part in ("train", "test"):
        for number, name in enumerate("ab"):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for image in range(4):
                pixels = np.full((8, 8), 9 * number + image, np.uint8)
                Image.fromarray(pixels).save(folder / f"{image}.png")
    (tmp_path / "train" / "a" / "notes.txt").write_text("x")
    return parse({"data": {"kind": "image_folder", "folder": str(tmp_path)}})


def heard(known, recipe):
    events = []
    data = known.data(recipe, CPU, Monitor(events.append))
    return data, [e for e in events if isinstance(e, Noticed | DataLoaded)]


def test_the_same_images_are_not_read_again(recipe, tmp_path):
    known = Known()
    data, told = heard(known, recipe)
    shutil.rmtree(tmp_path / "train")
    again, told_again = heard(known, with_changes(recipe, {"allocation.sparsity": 0.5}))
    assert again is data and len(told) == 2
    assert "1 files" in told[0].message
    assert [(type(e), getattr(e, "message", "")) for e in told] == [
        (type(e), getattr(e, "message", "")) for e in told_again
    ]


@pytest.mark.parametrize("change", [{"machine.seed": 1}, {"data.mean": [0.4]}])
def test_other_images_are_read(recipe, tmp_path, change):
    known = Known()
    heard(known, recipe)
    assert heard(known, with_changes(recipe, change))[0].spec.shape == (1, 8, 8)
    shutil.rmtree(tmp_path / "train")
    with pytest.raises(InputError):  # only the latest are kept
        heard(known, recipe)
