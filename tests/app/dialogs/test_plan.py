"""The plan dialog: numbers and reasons, or the remedy."""

import dataclasses

import pytest

from app.dialogs.plan import PlanDialog, described
from engine import Plan
from engine.recipe import with_changes

PATIENCE = 60_000


def opened(qtbot, runner, recipe):
    dialog = PlanDialog(recipe, runner)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_a_plan_is_shown_in_rows_with_its_reasons(qtbot, runner, quick):
    recipe = with_changes(
        quick, {"estimator.kind": "woodfisher", "estimator.block_size": "auto"}
    )
    dialog = opened(qtbot, runner, recipe)
    assert not dialog.waiting.isHidden() and dialog.shown == {}
    qtbot.waitUntil(lambda: bool(dialog.shown), timeout=PATIENCE)
    assert dialog.waiting.isHidden() and dialog.progress.isHidden()
    assert dialog.shown["Block size"] == "Whole layers"
    assert "may be used" in dialog.shown["Memory"]
    assert "in memory" in dialog.shown["Gradients"]
    assert "the largest that fit" in dialog.reasons.text()
    assert dialog.banner.text == ""


def test_what_cannot_fit_is_said_with_a_remedy(qtbot, runner, quick):
    dialog = opened(qtbot, runner, with_changes(quick, {"machine.memory": 0.01}))
    qtbot.waitUntil(lambda: bool(dialog.banner.text), timeout=PATIENCE)
    assert "may use 0.0 GB" in dialog.banner.text
    assert dialog.waiting.isHidden() and dialog.shown == {}


def test_an_answer_about_another_recipe_is_not_shown(qtbot, runner, quick):
    other = with_changes(quick, {"machine.memory": 0.01})
    with qtbot.waitSignal(runner.plan_failed, timeout=PATIENCE):
        runner.plan(other)
        dialog = opened(qtbot, runner, quick)
    assert dialog.banner.text == "" and not dialog.waiting.isHidden()
    qtbot.waitUntil(lambda: bool(dialog.shown), timeout=PATIENCE)


def test_the_action_opens_it(qtbot, window):
    window.actions_.plan.trigger()
    dialog = window.findChild(PlanDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: bool(dialog.shown), timeout=PATIENCE)
    dialog.close()


@pytest.mark.parametrize(("paged", "words"), [(True, "on the disk"), (False, "memory")])
def test_words_for_a_large_plan(paged, words):
    plan = Plan(
        device="cuda (a GPU)", prunable=25_502_912, targets=(0.9,), of="weights",
        epochs=(0,), steps=1, calibration_images=400, passes={"images": 1, "disk": 3},
        block_size=2000, paged=paged, half_precision=False,
        peak_bytes=2 * 1024**3, limit_bytes=15 * 1024**3,
        host_bytes=1024**3, phase_bytes={"curvature": 2, "evaluate": 1},
        gradient_bytes=38 * 1024**3, disk_bytes=38 * 1024**3 * paged,
        seconds={"gradients": 300.0, "curvature": 301.0, "evaluate": 0.1},
        reasons=(),
    )  # fmt: skip
    rows = dict(described(plan))
    assert words in rows["Gradients"] and "38.0 GB" in rows["Gradients"]
    assert rows["Memory"].startswith("2.0 GB at most, in the phase curvature")
    assert rows["Host memory"] == "1.0 GB"
    assert rows["Block size"] == "2,000 weights"
    assert rows["Time"] == "about 10:01 (gradients 5:00, curvature 5:01)"
    assert rows["Prunes"] == "1 to 90.0 % of 25.5 M weights"
    other = dataclasses.replace(plan, of="multiply-accumulates")
    assert dict(described(other))["Prunes"] == "1 to 90.0 % of the multiply-accumulates"
    assert rows["Disk"] == ("38.0 GB" if paged else "Nothing")
