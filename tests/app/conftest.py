"""What tests of the window share: a workbench with its own preferences."""

import pytest

from app.bridge import Bridge
from app.main_window import MainWindow
from app.preferences import Preferences
from app.probing import Probing
from app.runner import Runner
from app.workspace import Workspace
from engine.recipe import parse

QUICK = {
    "estimator": {"kind": "magnitude"},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}


@pytest.fixture
def quick():
    """A recipe of the demo network that runs in a second."""
    return parse(QUICK)


@pytest.fixture
def longer():
    """A recipe that goes on until it is stopped."""
    return parse({**QUICK, "finetune": {"epochs": 1000}})


@pytest.fixture
def preferences(tmp_path):
    """Preferences in a folder of this test; runs go there as well."""
    preferences = Preferences(tmp_path / "preferences.json")
    preferences.change(runs=str(tmp_path / "runs"), theme="light")
    return preferences


@pytest.fixture
def workspace(qapp, quick):
    """A workspace with the quick recipe."""
    return Workspace(quick)


@pytest.fixture
def bridge(qapp):
    """A mailbox."""
    return Bridge()


@pytest.fixture
def probing(workspace, preferences):
    """Measures masks beside the window, its thread ended after the test."""
    probing = Probing(workspace, preferences)
    yield probing
    probing.close()
    probing.join()


@pytest.fixture
def runner(workspace, bridge, preferences, probing):
    """A runner, its thread ended after the test."""
    runner = Runner(workspace, bridge, preferences, probing)
    yield runner
    runner.close()


@pytest.fixture
def window(qtbot, preferences, quick):
    """The whole window with the quick recipe, its network on show."""
    window = MainWindow(preferences)
    window.workspace.set_recipe(quick)
    with qtbot.waitSignal(window.runner.inspected, timeout=20_000):
        window.show()
    yield window
    window.runner.close()
    window.net.remove()
    window.close()
    window.deleteLater()
