"""Networks from people's own Python files, which run only when trusted."""

import hashlib
import sys

import pytest
import torch

from engine.data.base import DataSpec
from engine.errors import InputError, TrustNeeded
from engine.models.file import File

SPEC = DataSpec("x", (6,), ("a", "b", "c"))
NETWORK = """
from dataclasses import dataclass
from torch import nn

@dataclass
class Settings:
    width: int = 6

def build(num_classes=5):
    return nn.Linear(Settings().width, num_classes)

def plain():
    return nn.Linear(6, 2)

class Net(nn.Linear):
    def __init__(self):
        super().__init__(6, 3)

def demanding(width):
    return nn.Linear(width, 3)

def broken():
    raise ValueError("no such width")

def leave():
    raise SystemExit(3)

def number():
    return 7

value = 8
"""


@pytest.fixture
def write(tmp_path):
    def do(text, name="net.py"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return do


def build(path, factory="build", spec=SPEC):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return File(file=str(path), factory=factory).build(spec, frozenset({digest}))


def test_nothing_runs_before_it_is_trusted(write, tmp_path):
    path = write(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{NETWORK}")
    other = frozenset({"0" * 64})
    for trust in (frozenset(), other):
        with pytest.raises(TrustNeeded, match="has not been trusted") as caught:
            File(file=str(path)).build(SPEC, trust)
    assert caught.value.path == str(path)
    assert caught.value.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert isinstance(caught.value, InputError) and not (tmp_path / "ran").exists()


def test_a_changed_file_must_be_trusted_again(write):
    path = write(NETWORK)
    trust = frozenset({hashlib.sha256(path.read_bytes()).hexdigest()})
    assert File(file=str(path)).build(SPEC, trust).out_features == 3
    path.write_text(NETWORK + "\n")
    with pytest.raises(TrustNeeded):
        File(file=str(path)).build(SPEC, trust)


@pytest.mark.parametrize(
    ("factory", "outputs"), [("build", 3), ("plain", 2), ("Net", 3)]
)
def test_factories(write, factory, outputs):
    assert build(write(NETWORK), factory).out_features == outputs


@pytest.mark.parametrize("name", ["classes", "n_classes", "num_classes"])
def test_the_class_count_is_given_by_any_usual_name(write, name):
    text = f"from torch import nn\ndef build(*, {name}): return nn.Linear(6, {name})"
    assert build(write(text)).out_features == 3


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("nothing", "has no function 'nothing'"),
        ("value", "has no function 'value'"),
        ("demanding", "demanding in .* fails: TypeError.* 'width'"),
        ("broken", "broken in .* fails: ValueError in line 23: no such width"),
        ("leave", "leave in .* fails: SystemExit"),
        ("number", "returns a int, not a network"),
    ],
)
def test_factories_that_cannot_be_used(write, factory, message):
    with pytest.raises(InputError, match=message):
        build(write(NETWORK), factory)


def test_functions_of_the_file_are_suggested(write):
    with pytest.raises(InputError) as caught:
        build(write(NETWORK), "nothing")
    assert (
        "build, plain, Net" in caught.value.hint
        and "dataclass" not in caught.value.hint
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(:", "SyntaxError in line 1"),
        ("import no_such_module", "ModuleNotFoundError in line 1"),
        ("\n\n1 / 0", "ZeroDivisionError in line 3"),
        ("raise SystemExit('bye')", "SystemExit in line 1: bye"),
        ("\0", "SyntaxError|ValueError"),
        ("\udcff".encode("utf-8", "surrogateescape"), "SyntaxError"),
    ],
)
def test_files_that_fail(tmp_path, text, message):
    path = tmp_path / "net.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=f"fails when it runs: ({message})"):
        build(path)


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="No Python file is chosen"):
        File().build(SPEC, frozenset())
    with pytest.raises(InputError, match="No such file"):
        File(file=str(tmp_path / "none.py")).build(SPEC, frozenset())
    with pytest.raises(InputError, match="Is a directory"):
        File(file=str(tmp_path)).build(SPEC, frozenset())


def test_neighbours_can_be_imported_and_are_forgotten(tmp_path):
    text = "from parts import WIDTH\nfrom torch import nn\n"
    text += (
        "def build():\n    from late import BIAS\n    return nn.Linear(6, WIDTH, BIAS)"
    )
    before = list(sys.path)
    for folder, width in (("one", 4), ("two", 9)):
        place = tmp_path / folder
        place.mkdir()
        (place / "parts.py").write_text(f"WIDTH = {width}")
        (place / "late.py").write_text("BIAS = False")
        (place / "net.py").write_text(text)
        assert build(place / "net.py").weight.shape == (width, 6)
    assert sys.path == before and not {"parts", "late"} & set(sys.modules)


def test_names_do_not_clash_with_installed_modules(write):
    text = "from torch import nn\ndef build(): return nn.Linear(6, 3)"
    build(write(text, "json.py"))
    import json

    assert json.loads("1") == 1


def test_a_network_knows_its_own_file(write):
    text = "from pathlib import Path\nfrom torch import nn\n"
    text += "def build(): return nn.Linear(6, len(Path(__file__).name))"
    assert build(write(text)).out_features == len("net.py")


def test_a_network_may_be_copied_and_pickled(write):
    text = "from torch import nn\nclass Net(nn.Linear): pass\n"
    text += "def build(): return Net(6, 3)"
    import copy
    import pickle

    model = build(write(text))
    assert torch.equal(copy.deepcopy(model).weight, model.weight)
    assert torch.equal(pickle.loads(pickle.dumps(model)).weight, model.weight)
