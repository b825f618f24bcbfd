"""The house rules, read from the syntax trees: who may import whom, and lengths."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("app/**/*.py")])
EVERY = [*SOURCES, ROOT / "main.py", *sorted(ROOT.glob("tests/**/*.py"))]
QT_FREE = {"PySide6", "pyqtgraph", "qtawesome", "app"}
TORCH_FREE = {"torch", "torchvision", "safetensors", "sklearn"}
APP_MAY_SEE = {
    "engine",
    "engine.amendment",
    "engine.covering",
    "engine.recipe",
    "engine.events",
    "engine.facts",
    "engine.part",
    "engine.errors",
    "engine.comparing.cells",
    "engine.comparing.comparison",
    "engine.looking.classes",
    "engine.looking.damping",
    "engine.looking.dispute",
    "engine.looking.layer_weights",
    "engine.looking.settling",
    "engine.steering.events",
    "engine.steering.overrides",
    "engine.steering.profile",
    "engine.steering.ranking",
    "engine.steering.spending",
    "engine.steering.what_if",
    "engine.steering.wish",
    "engine.records.whole",
    "engine.records.timeline",
    "engine.words.units",
    "engine.words.plan",
    "engine.words.events",
    "engine.words.written",
}
PLAIN = (
    *("amendment", "covering", "events", "facts", "part", "errors", "monitor"),
    *("records/whole", "records/codec", "records/timeline", "comparing/cells"),
    *("words/units", "words/events", "words/written"),
    *("looking/agreement", "looking/classes", "looking/layer_weights"),
    *("steering/budget", "steering/events", "steering/ranking", "steering/spending"),
)
STRATEGIES = (
    "estimators",
    "patterns",
    "allocation",
    "schedules",
    "models",
    "data",
    "exporters",
)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            # `from engine import store` imports the module engine.store
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if (ROOT / name.replace(".", "/")).with_suffix(".py").exists():
                    yield name


def name(path):
    return str(path.relative_to(ROOT))


def of(package):
    return [p for p in SOURCES if name(p).startswith(package + "/")]


@pytest.mark.parametrize("path", of("engine"), ids=name)
def test_engine_knows_no_face(path):
    tops = {module.split(".")[0] for module in imports(path)}
    assert not tops & QT_FREE


@pytest.mark.parametrize("path", of("app"), ids=name)
def test_app_sees_only_the_door(path):
    modules = set(imports(path))
    assert not {m.split(".")[0] for m in modules} & TORCH_FREE
    seen = {m for m in modules if m.split(".")[0] == "engine"}
    names = ("inspect", "run", "branch", "plan", "export", "compare", "score")
    door = {f"engine.{name}" for name in names}
    assert seen <= APP_MAY_SEE | door  # the door's functions share module names


@pytest.mark.parametrize("module", PLAIN)
def test_plain_modules_know_no_torch(module):
    path = ROOT / "engine" / f"{module}.py"
    assert not {m.split(".")[0] for m in imports(path)} & TORCH_FREE


@pytest.mark.parametrize("package", STRATEGIES)
def test_strategies_never_import_sideways(package):
    # A model needs to know the shape of the data; a pattern hands scores to an
    # allocation; the export check rebuilds the network from a recipe.
    allowed = {"models": {"data"}, "patterns": {"allocation"}, "exporters": set()}
    others = set(STRATEGIES) - {package} - allowed.get(package, set())
    for path in of(f"engine/{package}"):
        seen = {m.split(".")[1] for m in imports(path) if m.startswith("engine.")}
        assert not seen & others, path


@pytest.mark.parametrize("half", ["engine", "app"])
def test_looks_know_what_steers_and_not_the_other_way_round(half):
    for path in of(f"{half}/steering"):
        assert not [m for m in imports(path) if m.startswith(f"{half}.looking")], path


def test_panels_never_import_each_other():
    for path in of("app/panels"):
        assert not [m for m in imports(path) if m.startswith("app.panels")], path


def test_only_the_bridge_turns_events_into_signals():
    for path in of("app"):
        if name(path) != "app/bridge.py":
            assert "EVENTS" not in path.read_text().split(), path


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_no_file_over_300_lines(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_says_its_job(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_module_level_mutable_state(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            mutable = isinstance(node.value, ast.List | ast.Set | ast.ListComp)
            assert not mutable or "__all__" in ast.unparse(node), node.lineno


def test_no_print_in_the_engine_outside_the_command_line():
    for path in of("engine"):
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        speaks = name(path) in ("engine/__main__.py", "engine/commands.py")
        assert speaks or "print" not in calls, path


def test_only_one_room_knows_of_other_processes():
    knowing = [name(p) for p in SOURCES if "torch.distributed" in set(imports(p))]
    assert knowing == ["engine/sharing/joining.py", "engine/sharing/team.py"]


def test_only_the_store_saves_checkpoints():
    allowed = {
        "engine/records/store.py",
        "engine/export.py",
        "engine/exporters/pth.py",
    }
    for path in SOURCES:
        calls = [
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        ]
        assert name(path) in allowed or "torch.save" not in calls, path
