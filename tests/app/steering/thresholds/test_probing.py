"""Probing: what a prober that was closed says no longer counts."""

import threading
from dataclasses import replace

import pytest

import engine
from app.workspace import Scored
from engine import Probed
from engine.recipe import with_changes

PATIENCE = 20_000
LOST = {"model.checkpoint": "/nowhere/lost.pth"}


@pytest.fixture
def study(quick):
    return engine.score(quick)


def test_masks_are_measured_and_measured_again_after_a_run(
    qtbot, probing, workspace, quick, study
):
    scored = Scored(quick, study)
    for units in ({}, {"fc.weight": 3}):
        with qtbot.waitSignal(probing.probed, timeout=PATIENCE) as told:
            probing.ask(scored, units)
        assert isinstance(told.args[0], Probed) and told.args[0].units == units
        workspace.set_state("running")
        workspace.set_state("idle")


def test_a_failure_after_the_end_is_nobodys(qtbot, probing, quick, study):
    lost = Scored(with_changes(quick, LOST), study)
    with qtbot.waitSignal(probing.failed, timeout=PATIENCE) as told:
        probing.ask(lost, {})
    assert "lost.pth" in str(told.args[0])
    probing.close()
    with qtbot.assertNotEmitted(probing.failed, wait=200):
        probing.ask(lost, {})
        for thread in threading.enumerate():
            if thread.name == "prober":
                thread.join()  # its failure waits for this thread
        probing.close()


def test_a_defect_is_reported_in_full(qtbot, probing, quick, study):
    broken = Scored(quick, replace(study, order=None))
    crashes, failures = [], []
    probing.crashed.connect(crashes.append)
    probing.failed.connect(failures.append)
    probing.ask(broken, {})
    qtbot.waitUntil(lambda: bool(failures), timeout=PATIENCE)
    [crash] = crashes
    assert isinstance(crash, TypeError) and crash.__traceback__
    assert "See the report" in failures[0].hint


def test_what_a_person_can_act_on_is_no_defect(qtbot, probing, quick, study):
    lost = Scored(with_changes(quick, LOST), study)
    with (
        qtbot.assertNotEmitted(probing.crashed),
        qtbot.waitSignal(probing.failed, timeout=PATIENCE),
    ):
        probing.ask(lost, {})
