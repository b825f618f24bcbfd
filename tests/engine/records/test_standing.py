"""Where runs stand that were stopped, failed or broken off."""

import pytest

import engine
from engine.errors import InputError
from engine.events import EpochFinished, Evaluated, Pruned, RunFailed
from engine.monitor import Control
from engine.recipe import Recipe, with_changes
from engine.records import contents
from engine.records.standing import standing
from engine.records.store import Store

CHANGES = {
    "estimator.kind": "magnitude",
    "schedule.recomputations": 4,
    "schedule.spacing": "linear",
    "allocation.sparsity": 0.8,
    "finetune.epochs": 2,
    "machine.threads": 1,
}


def stopped(folder, at):
    """A run that was stopped when it said the first event for which `at` is true."""
    control = Control()
    recipe = with_changes(Recipe(), CHANGES)
    engine.run(recipe, folder, lambda e: control.stop() if at(e) else None, control)
    return folder


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "halfway"
    return stopped(folder, lambda e: isinstance(e, Pruned) and e.step == 2)


def test_a_stopped_run_says_which_moment_its_export_is_of(halfway, tmp_path):
    report = engine.export(halfway, "pth", tmp_path / "pruned.pth")
    assert report.moment == (
        "The run stopped at prune 2 of 4; this is the network at 40.0 % sparsity."
    )
    assert report.zeros / report.weights == pytest.approx(0.4, abs=0.01)


def test_a_run_that_failed_or_was_broken_off_says_so(halfway):
    opened = Store.open(halfway)
    opened.record(Pruned(3, 4, 0.0, 0.6, 0.6, 1, ()))  # and then the power went
    assert standing(halfway).moment.startswith("The run has come to prune 2 of 4; ")
    opened.record(RunFailed("The machine ran out of memory.", "Buy more."))
    opened.close()
    assert standing(halfway).moment.startswith("The run failed after prune 2 of 4; ")


def test_fine_tuning_is_told_too(tmp_path):
    folder = stopped(tmp_path / "run", lambda e: isinstance(e, EpochFinished))
    assert "stopped at prune 4 of 4 and epoch 1 of 2; " in standing(folder).moment


def test_a_run_that_pruned_nothing_has_nothing_to_export(tmp_path):
    folder = stopped(tmp_path / "run", lambda e: isinstance(e, Evaluated))
    assert contents.newest_state(folder) is not None
    with pytest.raises(InputError, match="not pruned anything yet") as caught:
        engine.export(folder, "pth", tmp_path / "pruned.pth")
    assert "Resume the run" in caught.value.hint
    assert not (tmp_path / "pruned.pth").exists()
