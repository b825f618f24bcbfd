"""Activity bar: phase, progress, pause, outcome."""

from app.panels.activity import IDLE, ActivityBar
from engine.events import (
    PhaseFinished,
    PhaseStarted,
    Progressed,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
)

STARTED = RunStarted("runs/one", "CPU, 2 threads", 0)
BUSY = (
    STARTED,
    PhaseStarted("gradients"),
    Progressed("Gradients of 400 images", 40, 100, 118.0, 300 * 2**20),
)


def test_it_is_ready_before_and_after_everything(show, send, bridge):
    bar = show(ActivityBar)
    assert bar.phase.text() == IDLE and not bar.progress.isVisible()
    send(*BUSY)
    bridge.clear()
    assert bar.phase.text() == IDLE and not bar.progress.isVisible()
    assert bar.device.text() == bar.memory.text() == ""


def test_phase_progress_time_memory_and_device_are_in_words(show, send):
    bar = show(ActivityBar)
    send(*BUSY)
    assert bar.phase.text() == "Gradients of 400 images"
    assert (bar.progress.value(), bar.progress.maximum()) == (40, 100)
    assert bar.time_left.text() == "40 %, about 2 min left"
    assert bar.memory.text() == "300 MB"
    assert bar.device.text() == "CPU, 2 threads"


def test_a_new_phase_forgets_the_progress_of_the_last(show, send):
    bar = show(ActivityBar)
    send(*BUSY, PhaseFinished("gradients", 3.0), PhaseStarted("curvature"))
    assert bar.phase.text() == "Inverting curvature"
    assert bar.progress.maximum() == 0 and bar.time_left.text() == ""
    send(Progressed("Blocks", 0, 10, -1.0, 0))
    assert bar.time_left.text() == "0 %" and bar.memory.text() == "300 MB"


def test_pausing_and_stopping_are_said(show, send, workspace):
    bar = show(ActivityBar)
    send(*BUSY, RunPaused())
    assert bar.phase.text().startswith("Paused") and bar.time_left.text() == "40 %"
    send(RunResumed())
    assert bar.phase.text().startswith("Gradients of")
    workspace.set_state("stopping")
    assert bar.phase.text().startswith("Stopping")
    send(RunStopped())
    assert "can be resumed" in bar.phase.text() and not bar.progress.isVisible()


def test_how_it_ended_stays(show, send):
    bar = show(ActivityBar)
    send(*BUSY, RunFinished(0.8, 98.5, 97.5))
    assert bar.phase.text().startswith("Done: 80.0 % sparse, accuracy 97.50 %")
    send(STARTED, RunFailed("Out of memory.", "Use less."))
    assert bar.phase.text() == "Failed: Out of memory."


def test_a_replayed_resumed_run_ends_as_it_ended(show, send):
    bar = show(ActivityBar)
    send(STARTED, RunStopped(), RunStarted("runs/one", "CPU", 0, True), *BUSY[1:])
    assert bar.progress.isVisible()
    send(RunFinished(0.8, 98.5, 97.5))
    assert bar.phase.text().startswith("Done")


def test_nothing_spins_while_paused(show, send):
    bar = show(ActivityBar)
    send(STARTED, PhaseStarted("curvature"), RunPaused())
    assert not bar.progress.isVisible()
