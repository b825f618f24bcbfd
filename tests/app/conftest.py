"""What tests of the window share: a workbench with its own preferences."""

import pytest

from app.background import Background
from app.bridge import Bridge
from app.inspector import Inspector
from app.main_window import MainWindow
from app.preferences import Preferences
from app.runner import Runner
from app.steering.thresholds.probing import Probing
from app.workspace import Workspace
from engine.events import Event
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
def seen(bridge):
    """Every event that reached the GUI thread."""
    events = []
    bridge.on(Event, events.extend)
    return events


@pytest.fixture
def background():
    """The engine's thread, ended after the test."""
    background = Background()
    yield background
    background.close()


@pytest.fixture
def inspector(workspace, bridge, preferences, background):
    """Looks at the recipe's network beside the window."""
    inspector = Inspector(workspace, bridge, preferences, background)
    yield inspector
    inspector.close()


@pytest.fixture
def runner(workspace, bridge, preferences, background, inspector, probing):
    """A runner, its work stopped after the test."""
    common = (workspace, bridge, preferences, background)
    runner = Runner(*common, inspector, probing)
    yield runner
    runner.close()


@pytest.fixture
def window(qtbot, preferences, quick):
    """The whole window with the quick recipe, its network on show."""
    window = MainWindow(preferences)
    window.workspace.set_recipe(quick)
    with qtbot.waitSignal(window.inspector.inspected, timeout=20_000):
        window.show()
    yield window
    window.inspector.close()
    window.runner.close()
    window.net.remove()
    window.close()
    window.deleteLater()
