"""Record: which points a run leaves, and resuming."""

import pytest

from app.plots.readout import readout
from app.records.curves import COLUMNS, Record
from engine.events import (
    EpochFinished,
    Evaluated,
    LevelsPlanned,
    Noticed,
    Pruned,
    RunStarted,
    Trained,
)


def prune(step, epoch, sparsity, time):
    return Pruned(step, 9, epoch, sparsity, sparsity, 1, (), time=time)


def epoch(number, time, accuracy=90.0):
    return EpochFinished(number, 4, 0.5, 0.4, accuracy, 1.0, True, time=time)


def test_nothing_is_empty():
    record = Record()
    record.add([Noticed("info", "Hello."), RunStarted("x", "CPU", 0)])
    assert record.empty and list(record.rows()) == []


def test_sub_steps_at_one_epoch_are_one_mark_and_many_in_seconds():
    record = Record()
    record.add([prune(1, 0.0, 0.2, 5), prune(2, 0.0, 0.5, 9), prune(3, 1.0, 0.8, 20)])
    assert record.prunes("epoch") == [(0.0, 50.0), (1.0, 80.0)]
    assert [x for x, _ in record.prunes("seconds")] == [5.0, 9.0, 20.0]


def test_dense_accuracy_is_that_of_the_test_images():
    record = Record()
    record.add([Evaluated("dense", "test", 0, 0.1, 98.0, 0.1)])
    record.add([Evaluated("dense", "validation", 0, 0.1, 96.0, 0.1)])
    assert record.dense == 98.0 and record.start == pytest.approx(10.0)
    other = Record()
    other.add([Evaluated("dense", "calibration", 0, 0.1, 91.0, 0.0)])
    assert other.dense == 91.0 and len(other.test) == len(other.validation) == 0


def test_an_epoch_is_not_drawn_twice():
    record = Record()
    record.add(
        [epoch(1, 5), Evaluated("epoch", "validation", 1, 0.4, 90.0, 0.5, time=5)]
    )
    assert len(record.validation) == 1
    record.add([Evaluated("pruned", "validation", 1, 0.9, 70.0, 0.8, time=6)])
    assert record.validation.column("accuracy").tolist() == [90.0, 70.0]


def test_a_resumed_run_replaces_what_it_repeats():
    record = Record()
    record.add(
        [
            RunStarted("x", "CPU", 0),
            Evaluated("dense", "test", 0, 0.1, 98.0, 0.0, time=1),
            Trained(0.5, 1.0, 0.1, time=10),
            epoch(1, 20),
            Evaluated("epoch", "test", 1, 0.3, 91.0, 0.5, time=21),
            Trained(1.5, 0.9, 0.1, time=30),
            epoch(2, 40, accuracy=10.0),
            Evaluated("epoch", "test", 2, 0.3, 10.0, 0.5, time=41),
            RunStarted("x", "CPU", 0, resumed=True, time=22),
            Evaluated("dense", "test", 0, 0.1, 98.0, 0.0, time=22),
            Trained(1.4, 0.8, 0.1, time=29),
        ]
    )
    assert record.training.column("epoch").tolist() == [0.5, 1.4]
    assert record.validation.column("accuracy").tolist() == [90.0]
    assert record.stages == ["dense", "epoch"] and len(record.test) == 2
    assert record.last("epoch") == 1.4 and record.last("seconds") == 29


def test_a_run_stopped_before_the_dense_network_was_measured_shows_it_later():
    record = Record()
    record.add(
        [
            RunStarted("x", "CPU", 0),
            RunStarted("x", "CPU", 0, resumed=True, time=8),
            Evaluated("dense", "test", 0, 0.1, 98.0, 0.0, time=9),
            Trained(0.5, 1.0, 0.1, time=10),
        ]
    )
    assert record.stages == ["dense"] and len(record.test) == 1
    assert record.training.column("epoch").tolist() == [0.5]


def test_a_clock_that_went_on_does_not_hide_what_is_repeated():
    record = Record()
    record.add(
        [
            Trained(0.5, 1.0, 0.1, time=10),
            epoch(1, 20),
            epoch(2, 30),
            RunStarted("x", "CPU", 0, resumed=True, time=50),
            Trained(1.5, 0.8, 0.1, time=60),
        ]
    )
    assert record.validation.column("epoch").tolist() == [1.0]
    assert record.training.column("epoch").tolist() == [0.5, 1.5]


def test_rows_name_every_column():
    record = Record()
    record.add(
        [
            LevelsPlanned((0.0, 2.0), (0.5, 0.9), 4),
            Evaluated("dense", "test", 0, 0.1, 98.0, 0.0, time=1),
            prune(1, 0.0, 0.5, 2),
            Trained(0.5, 1.0, 0.1, time=10),
            epoch(1, 20),
        ]
    )
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in record.rows()]
    assert [row["series"] for row in rows] == [
        "training", "validation", "test", "sparsity", "planned", "planned",
    ]  # fmt: skip
    assert rows[-1]["sparsity"] == 90.0 and rows[-1]["seconds"] == ""


def test_the_readout_holds_only_what_was_measured():
    record = Record()
    assert readout(record, "epoch", 1.0) == "epoch 1.00"
    record.add([prune(1, 0.5, 0.5, 2), Trained(1.0, 0.25, 1e-4, time=3)])
    before = readout(record, "epoch", 0.2)
    assert "sparse" not in before and "train 0.25" in before and "lr 0.0001" in before
    assert "50.0 % sparse" in readout(record, "seconds", 2.5)
