"""Every event in words, or on purpose in none."""

import pytest

from engine import events as e
from engine.comparing.cells import (
    Cell,
    CellFinished,
    ComparisonEnded,
    ComparisonStarted,
)
from engine.facts import LayerCurvature, LayerStability
from engine.words.events import cell_name, in_words, level

LAYER = e.LayerInfo("fc.weight", "Linear", (2, 2), 4, 4, 0, "prunable")
NODE = e.NodeKept(3, "prune", 2, 1, 0.8, 87.4, 0.36, "validation", 4096, "ab")
EXAMPLES = (
    (
        e.RunStarted("runs/a", "CPU", 3, resumed=True),
        "Resumed in runs/a on CPU, seed 3",
    ),
    (
        e.ModelLoaded("net", (LAYER,), 1500, 2_000_000),
        "1 layer, 1.5 k parameters, 2 M",
    ),
    (e.CheckpointLoaded("a.pth", 4, ("x",)), "4 matched, 1 renamed, 0 missing"),
    (e.DataLoaded("digits", 1400, 100, 297, ("0", "1"), (1, 8, 8)), "1,400 training"),
    (e.LevelsPlanned((0.0,), (0.8,), 3), "1 prune to 80.0 % and 3 epochs"),
    (e.LevelsPlanned((), (), 3), "no prune"),
    (e.PhaseFinished("gradients", 65.2), "Gradients took 1:05"),
    (
        e.Pruned(1, 2, 0, 0.5, 0.4, 1234, (), 0.12, 0.1),
        "(1,234), 40.0 % of all; predicted loss increase 0.12, jointly 0.1",
    ),
    (
        e.Fitted(1, (LayerCurvature("a", 4, 0.5, 0.25, 2, 0),)),
        "Damping is 0.5 times the Fisher's mean diagonal",
    ),
    (
        e.Fitted(1, (LayerCurvature("a", 4, 0.5, 0.25, 2, 1),)),
        "raised in 50.0 % of the blocks",
    ),
    (e.Fitted(1, (LayerCurvature("a", 4, 0.0, 0.25, 2, 0),)), "All gradients are zero"),
    (
        e.Resampled(1, 9, (LayerStability("a", 0.5, 0.4), LayerStability("b", 1.0, 1))),
        "9 bootstrap samples overlap with this one by 75.0 %, least in a by 50.0 %",
    ),
    (e.Restored(0.5, ()), "Went on at 50.0 % sparsity"),
    (e.Checked(1, 0.12, 0.1, 0.5, 0.25), "0.5 on calibration images, 0.25 on held-out"),
    (
        e.Checked(2, None, None, -0.5, None),
        "Prune 2 changed the loss by \N{MINUS SIGN}0.5 on cal",
    ),
    (
        e.Evaluated("final", "test", 1, 0.5, 88.22, 0.8),
        "Final network: test accuracy 88",
    ),
    (e.Evaluated("dense", "test", 1, float("nan"), 1.0, 0.0), "loss nan"),
    (e.EpochFinished(1, 3, 0.5, 0.4, 90.1, 812.4, True), "90.10 % (best), 812 images"),
    (
        e.Noticed("warning", "Block size lowered.", "Add memory."),
        "lowered. Add memory.",
    ),
    (e.Branched("runs/a", 3), "Branched from node 3 of runs/a"),
    (e.Saved("summary.json"), "Saved summary.json"),
    (
        e.Amended(2, 1, 0, (("finetune.epochs", 5),), "epochs 5 instead of 3"),
        "Changed from here on: epochs 5 instead of 3",
    ),
    (e.AmendmentRefused("All is done.", "Start anew."), "Not changed. All is done. St"),
    (e.RunPaused(), "Paused"),
    (e.RunResumed(), "Resumed"),
    (e.RunFinished(0.8, 98.0, 97.0), "80.0 % sparse, accuracy 97.00 % (dense 98.00 %)"),
    (e.RunStopped(), "can be resumed"),
)


@pytest.mark.parametrize(("event", "words"), EXAMPLES)
def test_each_event_in_words(event, words):
    (line,) = in_words(event)
    assert words in line


def test_levels_tell_what_matters():
    assert level(e.Noticed("warning", "x")) == "warning"
    assert level(e.Noticed("info", "x")) == "info"
    assert level(e.RunFailed("x", "y")) == "error"
    assert level(e.AmendmentRefused("x", "y")) == "warning"
    assert level(e.RunFinished(0.8, 98.0, 97.0)) == "success"


def test_what_only_drives_plots_is_not_told():
    for event in (
        e.Trained(0.1, 0.1, 0.1),
        e.Scored(1, ()),
        e.Halved(1, 0.0, 0.4, 0.8, 0.1, None, 0.5, 0.01, 1),  # a notice tells it
        NODE,
        e.PhaseStarted("load"),
        e.PhaseFinished("selection", 0.01),
        e.Progressed("x", 1, 2, 3.0, 4),
    ):
        assert in_words(event) == ()


def test_every_event_type_is_told_or_drawn():
    told = {type(event) for event, _ in EXAMPLES} | {e.RunFailed}
    drawn = {e.Trained, e.Scored, e.Halved, e.NodeKept, e.PhaseStarted, e.Progressed}
    kept = {e.Traced}  # a notice sums it up
    assert set(e.EVENTS) - told == drawn | kept


def test_a_failure_is_several_lines():
    assert in_words(e.RunFailed("It broke.", "Mend it.", ("a",))) == (
        "It broke.",
        "Mend it.",
        "    a",
    )


def test_a_comparison_counts_in_singular_and_plural():
    one = Cell("magnitude", 0.5, 0)
    started = ComparisonStarted("out", ("magnitude",), (0.5,), (0,), (one,))
    assert in_words(started) == ("1 cell in out: 1 method, 1 sparsity, 1 seed",)
    done = Cell("magnitude", 0.5, 1, dense=98.0, final=88.22, seconds=65.0)
    two = ComparisonStarted("out", ("a", "b"), (0.5, 0.6), (0, 1), (one, done))
    assert in_words(two)[0] == (
        "2 cells in out: 2 methods, 2 sparsities, 2 seeds; 1 done already"
    )
    assert cell_name(one) == "magnitude at 50.0 %, seed 0"
    assert in_words(CellFinished(1, 2, done, 0.0)) == (
        "Cell 1 of 2: magnitude at 50.0 %, seed 1: 88.22 % (dense 98.00 %) in 1:05",
    )
    failed = CellFinished(2, 2, Cell("a", 0.5, 0, error="No file."), 0.0)
    assert in_words(failed)[0].endswith("failed. No file.")
    assert level(failed) == "error"
    assert in_words(ComparisonEnded(1, 1, 2, False)) == (
        "Done: 1 of 2 cells, 1 failed",
    )
