"""The command line as a script sees it: processes, exit codes, standard streams."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from engine.__main__ import main
from engine.events import RunStarted, RunStopped
from engine.records import contents
from engine.records.codec import from_json
from engine.starting import starting

FAST = ["--set", "estimator.samples=16", "--set", "machine.threads=1"]


def engine(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text("{}")
    return path


def test_run_then_export(recipe, tmp_path, capsys):
    done = engine("run", recipe, "--out", tmp_path / "run", "--jsonl", *FAST)
    assert done.returncode == 0, done.stderr
    events = [from_json(line) for line in done.stdout.splitlines()]
    assert isinstance(events[0], RunStarted)
    assert events == list(contents.replay(tmp_path / "run"))
    out = tmp_path / "pruned.safetensors"
    sent = engine("export", tmp_path / "run", "--to", "safetensors", "--out", out)
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["difference"] < 1e-5 and out.exists()
    assert sent.stderr == ""
    again = ["export", str(tmp_path / "run"), "--to", "safetensors"]
    again += ["--out", str(out)]
    assert main(again) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*again, "--force"]) == 0


def test_words_for_people(recipe, tmp_path, capsys):
    assert main(["run", str(recipe), "--out", str(tmp_path / "run"), *FAST]) == 0
    assert "Done:" in capsys.readouterr().out
    assert main(["inspect", str(recipe)]) == 0
    assert "layer1.0.conv1.weight" in capsys.readouterr().out
    assert main(["plan", str(recipe)]) == 0
    told = capsys.readouterr().out
    assert "1 to 90.0 % of" in told and "curvature" in told and "Times follow" in told
    assert main(["plan", str(recipe), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 1
    assert main(["settings"]) == 0
    assert "estimator.samples" in capsys.readouterr().out


def bad(name, tmp_path, recipe):
    """Arguments that must be refused."""
    (tmp_path / "text.json").write_text("hello")
    (tmp_path / "unknown.json").write_text('{"estimator": {"sample": 3}}')
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    out = tmp_path / "out"
    return {
        "missing recipe": ["run", tmp_path / "no.json", "--out", out],
        "not json": ["run", tmp_path / "text.json", "--out", out],
        "unknown key": ["run", tmp_path / "unknown.json", "--out", out],
        "out of range": ["run", recipe, "--out", out, "--set", "estimator.samples=0"],
        "no value": ["run", recipe, "--out", out, "--set", "estimator.samples"],
        "folder in use": ["run", recipe, "--out", tmp_path / "full"],
        "unwritable": ["run", recipe, "--out", "/proc/x"],
        "no such run": ["resume", out],
        "no such folder": ["export", out, "--to", "pth", "--out", tmp_path / "x.pth"],
        "missing checkpoint": [
            *("run", recipe, "--out", out, "--set", "model.checkpoint=no.pth"),
        ],
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "missing recipe",
        "not json",
        "unknown key",
        "out of range",
        "no value",
        "folder in use",
        "unwritable",
        "no such run",
        "no such folder",
        "missing checkpoint",
    ],
)
def test_bad_input_is_two_lines_and_exit_code_2(name, tmp_path, recipe, capsys):
    assert main([str(word) for word in bad(name, tmp_path, recipe)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if not line.startswith(" ")]) == 2
    assert not (tmp_path / "out").exists()


def test_a_change_mends_a_file_and_is_named_where_it_is_wrong(tmp_path, capsys):
    path = tmp_path / "recipe.json"
    path.write_text('{"estimator": {"samples": 0}}')
    inspect = ["inspect", str(path), "--set"]
    floors = "allocation.floor=fc=0.5, layer3=0.9"
    assert main([*inspect, "estimator.samples=5", "--set", floors]) == 0
    assert main([*inspect, "machine.seed=1"]) == 2
    assert "recipe.json is not valid" in capsys.readouterr().err
    assert main([*inspect, "estimator.samples=-1"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("The changes are not valid: --set estimator.samples=-1: ")
    assert len(said) == 2
    assert main([*inspect, "estimator.samples=5", "--set", "allocation.floor=fc"]) == 2
    assert "'fc=0.5, layer3=0.9'" in capsys.readouterr().err


def test_what_a_network_prints_is_no_event(recipe, tmp_path, capsys):
    file = tmp_path / "network.py"
    file.write_text(
        "from torch import nn\nprint('hello')\n"
        "def build():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n"
    )
    change = ["--set", "model.kind=file", "--set", f"model.file={file}"]
    assert main(["inspect", str(recipe), "--jsonl", "--trust", str(file), *change]) == 0
    said = capsys.readouterr()
    assert all(from_json(line) for line in said.out.splitlines())
    assert "hello" in said.err


def test_a_defect_is_two_lines_and_exit_code_1(recipe, capsys, monkeypatch):
    monkeypatch.setattr("engine.plan", lambda *_: 1 / 0)
    assert main(["plan", str(recipe)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "ZeroDivisionError" in said[0] and "--debug" in said[1]


def test_an_interrupt_stops_in_good_order_and_resume_goes_on(recipe, tmp_path):
    folder = tmp_path / "run"
    arguments = ["run", recipe, "--out", folder, "--jsonl", *FAST]
    arguments += ["--set", "finetune.epochs=200"]
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if '"Trained"' in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read().splitlines()
        assert process.wait(60) == 130
    assert isinstance(from_json(rest[-1]), RunStopped)
    assert contents.newest_state(folder) is not None
    sent = engine("export", folder, "--to", "pth", "--out", tmp_path / "pruned.pth")
    assert sent.returncode == 0 and json.loads(sent.stdout)["zeros"]
    assert sent.stderr.startswith("The run stopped at prune 1 of 1")
    assert len(sent.stderr.splitlines()) == 1


def test_an_interrupt_while_torch_is_imported_is_one_line(recipe):
    """The import of torch is where the interrupt comes, however fast the machine is."""
    interrupted = (
        "import os, runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            os.kill(os.getpid(), 2)\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        f"sys.argv = ['-m', 'inspect', {str(recipe)!r}]\n"
        "runpy.run_module('engine', run_name='__main__', alter_sys=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", interrupted], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 130
    assert done.stderr == "Stopped before anything began.\n"


def test_an_interrupt_between_runs_is_one_line(recipe, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.plan", interrupted)
    assert main(["plan", str(recipe)]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


@pytest.fixture
def usual():
    """Ctrl-C as in a terminal; where tests run it may be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_who_imports_the_engine_keeps_the_interrupt(usual):
    with starting(program=False):
        assert signal.getsignal(signal.SIGINT) is usual
    with starting(program=True):
        assert signal.getsignal(signal.SIGINT) is not usual
    assert signal.getsignal(signal.SIGINT) is usual


def test_a_terminal_without_a_sign_shows_another(recipe, tmp_path):
    command = [sys.executable, "-m", "engine", "settings"]
    done = subprocess.run(
        command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0, done.stderr


def test_a_killed_run_can_be_resumed(recipe, tmp_path):
    folder = tmp_path / "run"
    arguments = ["run", recipe, "--out", folder, *FAST, "--set", "finetune.epochs=3"]
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(folder.glob("states/*.pt")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    done = engine("resume", folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "summary.json").exists()


COMPARISON = {
    "recipe": {"estimator": {"kind": "magnitude"}, "finetune": {"epochs": 0}},
    "methods": {"magnitude": {}, "random": {"estimator.kind": "random"}},
    "sparsities": [0.5],
}


def spec_file(tmp_path, **changes):
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({**COMPARISON, **changes}))
    return str(path)


def test_a_comparison_tells_each_cell_and_can_be_repeated(tmp_path, capsys):
    arguments = ["compare", spec_file(tmp_path), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "2 cells" in said and "Cell 1 of 2: magnitude at 50.0 %, seed 0: " in said
    assert "left" in said and "Done: 2 of 2 cells" in said
    assert len(said.splitlines()) == 4
    assert main([*arguments, "--jsonl"]) == 0
    events = [from_json(line) for line in capsys.readouterr().out.splitlines()]
    assert [type(e).__name__ for e in events] == [
        "ComparisonStarted",
        "ComparisonEnded",
    ]
    assert (tmp_path / "out" / "compare.svg").exists()


def test_failed_cells_make_exit_code_1_and_a_bad_comparison_2(tmp_path, capsys):
    broken = {"magnitude": {}, "broken": {"model.checkpoint": "no.pth"}}
    out = str(tmp_path / "out")
    assert main(["compare", spec_file(tmp_path, methods=broken), "--out", out]) == 1
    said = capsys.readouterr()
    assert "Cell 2 of 2: broken at 50.0 %, seed 0: failed. Cannot read" in said.out
    assert said.err.splitlines()[0] == "1 of 2 cells failed."
    other = str(tmp_path / "other")
    assert main(["compare", spec_file(tmp_path, methods={}), "--out", other]) == 2
    assert len(capsys.readouterr().err.splitlines()[:2]) == 2
    assert not (tmp_path / "other").exists()


def test_an_interrupted_comparison_ends_with_130_and_goes_on(tmp_path):
    spec = spec_file(tmp_path, sparsities=[0.1, 0.3, 0.5, 0.7], seeds=list(range(20)))
    command = [sys.executable, "-m", "engine", "compare", spec, "--jsonl"]
    command += ["--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if '"CellFinished"' in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read().splitlines()
        assert process.wait(60) == 130
    last = from_json(rest[-1])
    assert last.stopped and 1 <= last.done < last.total == 160
    rows = (tmp_path / "out" / "compare.csv").read_text().splitlines()
    assert len(rows) == 1 + last.done
