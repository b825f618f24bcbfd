"""What tests of the runs panel share: real run folders, and the panel with them."""

import shutil

import pytest

import engine
from app.panels.runs import RunsPanel
from engine.recipe import parse
from tests.app.panels.runs.reading import read


def recipe(sparsity, epochs=0):
    return parse(
        {
            "estimator": {"kind": "magnitude"},
            "allocation": {"sparsity": sparsity},
            "finetune": {"epochs": epochs},
            "machine": {"device": "cpu", "threads": 1},
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of three runs."""
    top = tmp_path_factory.mktemp("made")
    for name, sparsity, epochs in (("a", 0.5, 0), ("b", 0.9, 0), ("c", 0.9, 1)):
        engine.run(recipe(sparsity, epochs), top / name)
    return top


@pytest.fixture
def folder(made, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(made, tmp_path / "runs")


@pytest.fixture
def panel(show, runner, preferences, folder):
    built = show(lambda w, b: RunsPanel(w, b, runner, preferences))
    built.resize(520, 560)
    yield built
    built.close_down()


@pytest.fixture
def full(qtbot, panel, folder):
    """The panel with all three runs, read."""
    panel.buttons["Add all"].click()
    read(qtbot, panel, 3)
    return panel
