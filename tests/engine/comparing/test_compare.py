"""Comparisons on the demo network: every cell a real run."""

import csv
import json

import pytest

import engine
from engine.comparing.cells import (
    CellFinished,
    CellStarted,
    ComparisonEnded,
    ComparisonStarted,
    Spread,
)
from engine.comparing.comparison import parse_comparison
from engine.errors import InputError
from engine.events import Evaluated, PhaseStarted, Progressed, RunFinished
from engine.records import contents

BASE = {
    "estimator": {"kind": "magnitude"},
    "finetune": {"epochs": 0},
    "machine": {"device": "cpu", "threads": 1},
}
RANDOM = {"estimator.kind": "random"}
BROKEN = {"model.checkpoint": "missing.pth"}


def comparison(**changes):
    plain = {
        "recipe": BASE,
        "methods": {"magnitude": {}, "random": RANDOM},
        "sparsities": [0.3, 0.7],
        "seeds": [0, 1],
    }
    return parse_comparison({**plain, **changes})


def rows(folder):
    with (folder / "compare.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def told(folder):
    return json.loads((folder / "compare.json").read_text())


def cells_run(events):
    return [e.cell.key for e in events if isinstance(e, CellFinished)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparisons") / "done"
    events = []
    last = engine.compare(comparison(), folder, events.append)
    return folder, events, last


def test_every_cell_is_an_ordinary_run(finished):
    folder, events, last = finished
    assert isinstance(events[0], ComparisonStarted) and events[-1] == last
    assert (last.done, last.failed, last.total, last.stopped) == (8, 0, 8, False)
    assert sum(isinstance(e, RunFinished) for e in events) == 8
    for row in rows(folder):
        name = f"{row['method']}-{row['sparsity']}-{row['seed']}"
        run = folder / "cells" / name
        assert contents.recipe_of(run).estimator.kind == row["method"]
        summary = json.loads((run / "summary.json").read_text())
        assert float(row["final"]) == summary["final"]["accuracy"]
        assert float(row["dense"]) == summary["dense"]["accuracy"]
        assert float(row["loss"]) == summary["final"]["loss"]
        assert int(row["peak_memory_bytes"]) == summary["peak_memory_bytes"]
        assert not (run / "model.safetensors").exists()
        assert not (run / "states").exists()
        assert isinstance(list(contents.replay(run))[-1], RunFinished)


def test_the_dense_network_is_measured_once_and_told_in_every_cell(finished):
    _, events, _ = finished
    begun = [e.label for e in events if isinstance(e, Progressed) and e.done == 0]
    assert begun.count("Measuring the dense network") == 1
    told = [e for e in events if isinstance(e, Evaluated) and e.stage == "dense"]
    assert len(told) == 8 and len({e.accuracy for e in told}) == 1


def test_a_network_that_did_not_change_is_not_measured_again(finished):
    _, events, _ = finished
    begun = [e.label for e in events if isinstance(e, Progressed) and e.done == 0]
    assert begun.count("Measuring the pruned network") == 8
    assert begun.count("Measuring the final network") == 0
    told = [e.stage for e in events if isinstance(e, Evaluated)]
    assert told.count("final") == told.count("pruned") == 8


def test_another_network_or_other_data_are_measured_anew(tmp_path):
    events = []
    methods = {"as it is": {}, "washed out": {"data.mean": [0.9]}}
    spec = comparison(methods=methods, sparsities=[0.3], seeds=[0])
    engine.compare(spec, tmp_path / "out", events.append)
    told = [e for e in events if isinstance(e, Evaluated) and e.stage == "dense"]
    assert told[0].accuracy > told[1].accuracy


def test_it_says_which_cell_of_how_many_and_how_long(finished):
    _, events, _ = finished
    starts = [e for e in events if isinstance(e, CellStarted)]
    assert [e.number for e in starts] == list(range(1, 9))
    assert starts[0].seconds_left < 0 < starts[1].seconds_left
    assert events[-2].seconds_left == 0
    assert any(isinstance(e, Progressed) for e in events)


def test_means_and_spreads_are_those_of_the_rows(finished):
    folder, _, _ = finished
    for group in told(folder)["groups"]:
        mine = [
            float(row["final"])
            for row in rows(folder)
            if (row["method"], float(row["sparsity"]))
            == (group["method"], group["sparsity"])
        ]
        spread = Spread.of(mine)
        assert group["final"]["mean"] == pytest.approx(spread.mean)
        assert group["final"]["deviation"] == pytest.approx(spread.deviation)
        assert group["total"] == 2
    assert (folder / "compare.svg").read_text().count("<polyline") == 2


def test_the_same_again_runs_nothing_and_changes_nothing(finished):
    folder, _, _ = finished
    before, events = rows(folder), []
    last = engine.compare(comparison(), folder, events.append)
    assert cells_run(events) == [] and last.done == 8
    assert all(cell.done for cell in events[0].cells)
    assert rows(folder) == before
    spec, cells = engine.comparison_of(folder)
    assert spec == comparison() and all(cell.done for cell in cells)


def test_a_network_that_was_not_kept_cannot_be_exported(finished, tmp_path):
    run = finished[0] / "cells" / "random-0.3-0"
    with pytest.raises(InputError, match="was not kept"):
        engine.export(run, "pth", tmp_path / "x.pth")


def test_a_stop_is_clean_and_half_a_cell_is_done_again(tmp_path):
    folder, control, events = tmp_path / "out", engine.Control(), []

    def stop_in_the_second(event):
        events.append(event)
        second = len([e for e in events if isinstance(e, CellStarted)]) == 2
        if second and isinstance(event, PhaseStarted) and event.name == "selection":
            control.stop()

    spec = comparison(seeds=[0])
    last = engine.compare(spec, folder, stop_in_the_second, control)
    assert last.stopped and (last.done, last.total) == (1, 4)
    assert len(rows(folder)) == 1
    half = folder / "cells" / "magnitude-0.7-0"
    assert (half / "events.jsonl").exists()
    events.clear()
    last = engine.compare(spec, folder, events.append)
    assert not last.stopped and last.done == 4
    assert len(cells_run(events)) == 3 and cells_run(events)[0] == ("magnitude", 0.7, 0)
    assert sum(isinstance(e, RunFinished) for e in contents.replay(half)) == 1


def test_a_stop_before_the_first_cell_leaves_an_empty_table(tmp_path):
    control = engine.Control()
    control.stop()
    last = engine.compare(comparison(), tmp_path / "out", control=control)
    assert last.stopped and last.done == 0 and rows(tmp_path / "out") == []


def test_a_cell_that_fails_is_told_and_tried_again(tmp_path):
    folder = tmp_path / "out"
    methods = {"magnitude": {}, "broken": BROKEN}
    spec = comparison(methods=methods, seeds=[0], sparsities=[0.5])
    last = engine.compare(spec, folder)
    assert (last.done, last.failed) == (1, 1)
    good, bad = rows(folder)
    assert "Cannot read the checkpoint missing.pth" in bad["error"]
    assert bad["final"] == "" and good["error"] == "" and float(good["final"]) > 0
    _, cells = engine.comparison_of(folder)
    assert [bool(cell.error) for cell in cells] == [False, True]
    events = []
    engine.compare(spec, folder, events.append)
    assert cells_run(events) == [("broken", 0.5, 0)]


def test_a_comparison_may_grow_but_not_change(tmp_path):
    folder, events = tmp_path / "out", []
    small = comparison(methods={"magnitude": {}}, sparsities=[0.3], seeds=[0])
    engine.compare(small, folder)
    grown = comparison(sparsities=[0.3], seeds=[0])
    engine.compare(grown, folder, events.append)
    assert cells_run(events) == [("random", 0.3, 0)]
    for change in ({"methods": {"magnitude": RANDOM}}, {"recipe": {}}):
        with pytest.raises(InputError, match="comparison of other settings"):
            engine.compare(comparison(**change), folder)
    assert len(rows(folder)) == 2


def test_methods_that_repair_are_drawn_apart(tmp_path):
    methods = {"plain": {}, "mended": {"repair.batch_norm": "end"}}
    spec = comparison(methods=methods, sparsities=[0.3], seeds=[0])
    assert [spec.repairs(method) for method in methods] == [False, True]
    engine.compare(spec, tmp_path / "out")
    above, below = (tmp_path / "out" / "compare.svg").read_text().split("With repair")
    assert ">plain<" in above.split("Without repair")[1] and ">mended<" in below


def test_networks_are_kept_when_asked_for(tmp_path):
    folder, events = tmp_path / "out", []
    only = {"methods": {"magnitude": {}}, "sparsities": [0.3], "seeds": [0]}
    engine.compare(comparison(**only), folder)
    kept = folder / "cells" / "magnitude-0.3-0" / "model.safetensors"
    assert not kept.exists()
    engine.compare(comparison(**only, keep=True), folder, events.append)
    assert len(cells_run(events)) == 1 and kept.exists()


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"spec": {}, "cells": [{"a": 1}]}']
)
def test_a_broken_table_is_a_sentence(tmp_path, content):
    (tmp_path / "compare.json").write_text(content)
    with pytest.raises(InputError):
        engine.compare(comparison(), tmp_path)


def test_what_cannot_begin_leaves_nothing_behind(tmp_path):
    broken = {**BASE, "model": {"checkpoint": "missing.pth"}}
    with pytest.raises(InputError, match="Cannot read the checkpoint"):
        engine.compare(comparison(recipe=broken), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        engine.compare(comparison(), tmp_path / "full")


def test_two_comparisons_cannot_share_a_folder(tmp_path):
    folder, refused = tmp_path / "out", []

    def again(event):
        if isinstance(event, CellStarted) and not refused:
            with pytest.raises(InputError, match="Another run is writing") as error:
                engine.compare(comparison(), folder)
            refused.append(error)

    last = engine.compare(comparison(seeds=[0], sparsities=[0.3]), folder, again)
    assert isinstance(last, ComparisonEnded) and refused
