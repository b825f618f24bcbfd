"""Two processes on one run, started by torchrun on this machine."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.events import (
    EpochFinished,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
)
from engine.recipe import load
from engine.records import contents

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 240  # seconds; two processes import torch on a busy machine
CODES = "exitcode  : {} "  # as torchrun's report has it, one per process
FAST = {
    "estimator": {"samples": 100, "block_size": 500},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}
NETWORK = """
import os
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, images):
        if os.environ.get("RANK") == "1" and {when}:
            raise RuntimeError("the second process trips")
        return self.fc(images.flatten(1))

def build():
    return Net()
"""


PAUSE = """
import sys
import threading

import engine
from engine.sharing.joining import join
from engine.events import Trained
from engine.recipe import load

control = engine.Control()
told = []

def emit(event):
    if isinstance(event, Trained) and not told:
        told.append(event)
        control.pause()
        threading.Timer(1, control.resume).start()

with join() as team:
    engine.run(load(sys.argv[1]), sys.argv[2], emit, control, ranks=team)
    assert bool(told) == team.first
"""


def written(folder, **groups):
    path = folder / "recipe.json"
    path.write_text(json.dumps(FAST | groups))
    return path


def team(*arguments, program=("-m", "engine"), gpus=False):
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.Popen(
        [sys.executable, *command, *program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
        | ({} if gpus else {"CUDA_VISIBLE_DEVICES": ""}),
    )


def finish(process):
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def member(process, rank):
    """The process with this rank."""
    for child in psutil.Process(process.pid).children(recursive=True):
        if child.environ().get("RANK") == str(rank):
            return child
    raise AssertionError(f"there is no rank {rank}")


def wait_for(process, folder, event):
    """Until the run has said this."""
    until = time.monotonic() + PATIENCE
    path = folder / "events.jsonl"
    while not path.exists() or f'"{event}"' not in path.read_text():
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)


def last_event(folder):
    return list(contents.replay(folder))[-1]


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


LONG = {"epochs": 2000, "batch": 32}


def test_pruning_gives_the_bits_of_a_single_process(tmp_path):
    recipe = written(tmp_path)
    code, out, err = finish(team("run", recipe, "--out", tmp_path / "two"))
    assert code == 0, err
    assert out.count("Done:") == 1 and "2 processes" in out
    engine.run(load(recipe), tmp_path / "one")
    one, two = summary(tmp_path / "one"), summary(tmp_path / "two")
    assert two["processes"] == 2 and one["mask_sha256"] == two["mask_sha256"]
    first = load_file(tmp_path / "one" / "model.safetensors")
    second = load_file(tmp_path / "two" / "model.safetensors")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert one["dense"]["accuracy"] == two["dense"]["accuracy"]
    assert two["dense"]["loss"] == pytest.approx(one["dense"]["loss"], rel=1e-9)
    assert two["predicted"][0]["sum"] == pytest.approx(one["predicted"][0]["sum"])
    assert two["predicted"][0]["joint"] == pytest.approx(one["predicted"][0]["joint"])


def test_fine_tuning_together_reaches_the_same_place(tmp_path):
    recipe = written(tmp_path, finetune={"epochs": 2})
    code, _, err = finish(team("run", recipe, "--out", tmp_path / "two"))
    assert code == 0, err
    engine.run(load(recipe), tmp_path / "one")
    one, two = summary(tmp_path / "one"), summary(tmp_path / "two")
    assert one["mask_sha256"] == two["mask_sha256"]  # one prune, before any step
    assert one["sparsity"] == two["sparsity"]
    assert two["final"]["accuracy"] == pytest.approx(one["final"]["accuracy"], abs=2)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_killed_process_ends_the_run_and_it_resumes(tmp_path, lost):
    recipe, folder = written(tmp_path, finetune=LONG), tmp_path / "run"
    process = team("run", recipe, "--out", folder)
    wait_for(process, folder, "EpochFinished")
    survivor = member(process, 1 - lost)
    member(process, lost).kill()
    began = time.monotonic()
    code, _, err = finish(process)
    assert code == 1 and time.monotonic() - began < 25
    assert not survivor.is_running()
    if lost == 1:
        assert "Another process of this run was lost." in err
        ending = last_event(folder)
        assert isinstance(ending, RunFailed) and "Resume" in ending.hint
    before = contents.newest_state(folder)["finetuner"]["epoch"]
    process = team("resume", folder)
    until = time.monotonic() + PATIENCE
    while sum(isinstance(e, RunStarted) for e in contents.replay(folder)) < 2 or not (
        isinstance(last_event(folder), EpochFinished)
    ):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    process.terminate()
    assert finish(process)[0] == 1  # torchrun's own code for whatever is not 0
    assert isinstance(last_event(folder), RunStopped)
    assert contents.newest_state(folder)["finetuner"]["epoch"] > before


@pytest.mark.parametrize("rank", [0, 1])
def test_a_stop_of_one_stops_all_and_resume_goes_on(tmp_path, rank):
    changes = {"epochs": 3, "batch": 8}
    recipe, folder = written(tmp_path, finetune=changes), tmp_path / "run"
    process = team("run", recipe, "--out", folder)
    wait_for(process, folder, "Trained")
    member(process, rank).send_signal(signal.SIGINT)
    _, _, err = finish(process)
    assert err.count(CODES.format(130)) == 2
    assert isinstance(last_event(folder), RunStopped)
    # What one process stopped, another number of them can go on with.
    assert isinstance(engine.resume(folder), RunFinished)


def test_a_pause_of_the_first_holds_all(tmp_path):
    recipe, folder = written(tmp_path, finetune={"epochs": 1}), tmp_path / "run"
    (tmp_path / "pause.py").write_text(PAUSE)
    program = (str(tmp_path / "pause.py"),)
    code, _, err = finish(team(recipe, folder, program=program))
    assert code == 0, err
    events = list(contents.replay(folder))
    held = [type(e) for e in events if isinstance(e, RunPaused | RunResumed)]
    assert held == [RunPaused, RunResumed]
    assert isinstance(events[-1], RunFinished)


def test_an_interrupt_of_torchrun_is_a_stop(tmp_path):
    recipe, folder = written(tmp_path, estimator={"samples": 20_000}), tmp_path / "run"
    process = team("run", recipe, "--out", folder)
    wait_for(process, folder, "Progressed")
    process.send_signal(signal.SIGINT)
    finish(process)
    assert isinstance(last_event(folder), RunStopped)


def test_resuming_gives_the_bits_of_an_unbroken_run(tmp_path):
    recipe = written(tmp_path, finetune={"epochs": 2, "batch": 8})
    assert finish(team("run", recipe, "--out", tmp_path / "whole"))[0] == 0
    folder = tmp_path / "cut"
    process = team("run", recipe, "--out", folder)
    wait_for(process, folder, "Trained")
    process.send_signal(signal.SIGINT)
    finish(process)
    assert isinstance(last_event(folder), RunStopped)
    assert finish(team("resume", folder))[0] == 0
    whole = load_file(tmp_path / "whole" / "model.safetensors")
    cut = load_file(folder / "model.safetensors")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


@pytest.mark.parametrize(
    "when",
    ["self.training", "len(images) > 8 and torch.is_grad_enabled()"],
    ids=["in step", "apart"],
)
def test_what_fails_in_one_process_is_told_by_the_first(tmp_path, when):
    """In step while fine-tuning, and apart while taking gradients."""
    file, folder = tmp_path / "net.py", tmp_path / "run"
    file.write_text(NETWORK.replace("{when}", when))
    model = {"kind": "file", "file": str(file), "output": "logits"}
    recipe = written(tmp_path, model=model, finetune={"epochs": 1})
    code, _, err = finish(team("run", recipe, "--out", folder, "--trust", file))
    assert code == 1 and err.count(CODES.format(1)) == 2
    assert err.count("the second process trips") == 1
    assert "the second process trips" in last_event(folder).message


@pytest.mark.parametrize("wrong", ["recipe", "key", "folder", "checkpoint", "usage"])
def test_bad_input_is_said_once_and_every_process_ends_with_2(tmp_path, wrong):
    recipe, out = written(tmp_path), tmp_path / "run"
    arguments = ["run", recipe, "--out", out]
    if wrong == "recipe":
        recipe.write_text("hello")
    elif wrong == "folder":
        arguments[-1] = tmp_path
    else:
        arguments += {
            "key": ["--set", "estimator.samples=0"],
            "checkpoint": ["--set", "model.checkpoint=none.pth"],
            "usage": ["--nonsense"],
        }[wrong]
    _, _, err = finish(team(*arguments))
    assert err.count(CODES.format(2)) == 2
    said = err[: err.index("torch/distributed")].splitlines()[:-1]
    assert len([line for line in said if not line.startswith(" ")]) == 2, said
    assert not out.exists()


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_prune_and_fine_tune_together(tmp_path):
    machine = {"device": "cuda"}
    recipe = written(tmp_path, machine=machine, finetune={"epochs": 2})
    code, _, err = finish(team("run", recipe, "--out", tmp_path / "two", gpus=True))
    assert code == 0, err
    engine.run(load(recipe), tmp_path / "one")
    one, two = summary(tmp_path / "one"), summary(tmp_path / "two")
    assert two["device"].startswith("cuda") and two["zeros"] == one["zeros"]
    assert two["final"]["accuracy"] == pytest.approx(one["final"]["accuracy"], abs=2)


@pytest.mark.skipif(torch.cuda.device_count() != 1, reason="needs one GPU")
def test_more_processes_than_gpus_are_refused(tmp_path):
    _, _, err = finish(
        team("run", written(tmp_path), "--out", tmp_path / "run", gpus=True)
    )
    assert "1 GPUs for 2 processes" in err and err.count(CODES.format(2)) == 2
