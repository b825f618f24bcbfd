"""A run of two processes is amended by the first one's buttons, and replayed by one."""

import pytest

import engine
from engine.recipe import load
from tests.flow.test_ranks import finish, summary, team, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
AMEND = """
import sys

import engine
from engine.sharing.joining import join
from engine.events import Pruned
from engine.recipe import load

control = engine.Control()

def emit(event):
    if isinstance(event, Pruned) and event.step == 1:
        control.amend({"allocation.sparsity": 0.7})

with join() as team:
    engine.run(load(sys.argv[1]), sys.argv[2], emit, control, ranks=team)
"""


def test_all_processes_follow_the_first_ones_change(tmp_path):
    recipe = written(tmp_path, schedule={"recomputations": 3})
    (tmp_path / "amend.py").write_text(AMEND)
    program = (str(tmp_path / "amend.py"),)
    code, _, err = finish(team(recipe, tmp_path / "two", program=program))
    assert code == 0, err
    told = summary(tmp_path / "two")
    assert told["sparsity"] == pytest.approx(0.7, abs=1e-4)
    assert [each["prunes"] for each in told["amendments"]] == [1]
    recorded = load(tmp_path / "two" / "recipe.json")
    engine.run(recorded, tmp_path / "one")
    assert summary(tmp_path / "one")["mask_sha256"] == told["mask_sha256"]
