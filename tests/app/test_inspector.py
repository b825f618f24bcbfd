"""The inspector with the real engine: what it shows, and when it looks again."""

from engine.errors import TrustNeeded
from engine.events import ModelLoaded, Noticed
from engine.recipe import with_changes

PATIENCE = 30_000
NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
"""


def kinds(events):
    return [type(event).__name__ for event in events]


def test_inspecting_shows_the_layers(qtbot, inspector, bridge, seen):
    with qtbot.waitSignals([inspector.inspected, bridge.drained], timeout=PATIENCE):
        inspector.inspect()
    assert "ModelLoaded" in kinds(seen)


def test_an_edit_of_the_network_is_looked_at_once_things_are_quiet(
    qtbot, inspector, workspace, bridge, seen
):
    changes = [{"model.kind": "resnet_cifar"}, {"model.depth": 32}, {"model.depth": 20}]
    with qtbot.waitSignals([inspector.inspected, bridge.drained], timeout=PATIENCE):
        for change in changes:
            workspace.set_recipe(with_changes(workspace.recipe, change))
    assert kinds(seen).count("ModelLoaded") == 1


def test_an_edit_elsewhere_loads_nothing(qtbot, inspector, workspace, bridge):
    with qtbot.waitSignal(inspector.inspected, timeout=PATIENCE):
        inspector.inspect()
    with qtbot.assertNotEmitted(inspector.inspected, wait=600):
        workspace.set_recipe(with_changes(workspace.recipe, {"machine.seed": 4}))


def test_a_floor_of_no_layer_is_told_when_it_is_edited(
    qtbot, inspector, workspace, bridge, seen
):
    with qtbot.waitSignal(inspector.inspected, timeout=PATIENCE):
        inspector.inspect()
    change = {"allocation.floor": {"layr1": 0.5}}
    workspace.set_recipe(with_changes(workspace.recipe, change))
    qtbot.waitUntil(lambda: "Noticed" in kinds(seen), timeout=PATIENCE)


def test_only_the_newest_inspection_is_shown(qtbot, inspector, workspace, bridge, seen):
    inspector.inspect()
    changed = with_changes(workspace.recipe, {"allocation.exclude": ["fc.*"]})
    workspace.set_recipe(changed)
    with qtbot.waitSignal(inspector.inspected, timeout=PATIENCE):
        inspector.inspect()
    qtbot.waitUntil(lambda: "ModelLoaded" in kinds(seen))
    loaded = [event for event in seen if isinstance(event, ModelLoaded)]
    status = {layer.name: layer.status for layer in loaded[0].layers}
    assert len(loaded) == 1
    assert status["fc.weight"] == "excluded"


def test_a_missing_checkpoint_is_said_in_words_and_in_the_log(
    qtbot, inspector, workspace, bridge, seen, tmp_path
):
    lost = {"model.checkpoint": str(tmp_path / "lost.pth")}
    with qtbot.waitSignal(inspector.inspect_failed, timeout=PATIENCE) as told:
        workspace.set_recipe(with_changes(workspace.recipe, lost))
    assert "lost.pth" in told.args[0].message
    assert told.args[0].hint
    qtbot.waitUntil(lambda: any(isinstance(e, Noticed) for e in seen))


def test_a_python_file_runs_only_after_trust(
    qtbot, inspector, workspace, preferences, tmp_path
):
    file = tmp_path / "network.py"
    file.write_text(NETWORK)
    changes = {"model.kind": "file", "model.file": str(file)}
    with qtbot.waitSignal(inspector.trust_needed, timeout=PATIENCE) as asked:
        workspace.set_recipe(with_changes(workspace.recipe, changes))
    assert isinstance(asked.args[0], TrustNeeded)
    preferences.trust(asked.args[0].digest)
    with qtbot.waitSignal(inspector.inspected, timeout=PATIENCE):
        inspector.inspect()
