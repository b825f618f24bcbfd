"""The timeline by the command line: list nodes, branch from one, be refused."""

import json

import pytest

from engine.__main__ import main
from engine.events import Branched
from engine.records import contents
from engine.records.codec import from_json
from engine.records.timeline import nodes_of

FAST = ["--set", "estimator.kind=magnitude", "--set", "finetune.epochs=0"]
FAST += ["--set", "machine.threads=1", "--set", "schedule.recomputations=2"]


@pytest.fixture
def run(tmp_path, capsys):
    recipe = tmp_path / "recipe.json"
    recipe.write_text("{}")
    assert main(["run", str(recipe), "--out", str(tmp_path / "run"), *FAST]) == 0
    capsys.readouterr()
    return tmp_path / "run"


def test_nodes_are_listed_for_people_and_scripts(run, capsys):
    assert main(["nodes", str(run)]) == 0
    told = capsys.readouterr().out
    assert "dense network" in told and "prune 2" in told and "90.0 %" in told
    assert main(["nodes", str(run), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [node["state"] for node in listed] == [n.state for n in nodes_of(run)]
    assert main(["nodes", str(run / "nodes")]) == 2
    assert "not a run folder" in capsys.readouterr().err


def test_a_branch_takes_changes_and_prints_its_events(run, tmp_path, capsys):
    out = tmp_path / "branch"
    words = ["branch", str(run), "--node", "1", "--out", str(out), "--jsonl"]
    assert main([*words, "--set", "allocation.sparsity=0.95"]) == 0
    events = [from_json(line) for line in capsys.readouterr().out.splitlines()]
    assert [repr(e) for e in events] == [repr(e) for e in contents.replay(out)]
    assert [e.node for e in events if isinstance(e, Branched)] == [1]
    assert contents.recipe_of(out).allocation.sparsity == 0.95
    assert contents.recipe_of(out).estimator.kind == "magnitude"


def test_a_branch_may_have_a_recipe_of_its_own(run, tmp_path, capsys):
    recipe = tmp_path / "other.json"
    content = json.loads((run / "recipe.json").read_text())
    content["allocation"]["sparsity"] = 0.93
    recipe.write_text(json.dumps(content))
    words = ["branch", str(run), "--node", "2", "--out", str(tmp_path / "branch")]
    assert main([*words, "--recipe", str(recipe)]) == 0
    assert contents.recipe_of(tmp_path / "branch").allocation.sparsity == 0.93


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--node", "9"], "has no node 9"),
        (["--node", "2", "--set", "allocation.sparsity=0.1"], "more than the target"),
        (["--node", "2", "--set", "nothing.at=1"], "no setting 'nothing.at'"),
    ],
)
def test_refusals_are_two_lines_and_leave_nothing(run, tmp_path, capsys, words, told):
    branch = ["branch", str(run), "--out", str(tmp_path / "branch")]
    assert main([*branch, *words]) == 2
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 2
    assert not (tmp_path / "branch").exists()
