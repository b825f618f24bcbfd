"""Classes before and after: counts, errors, confusions and newly wrong images."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import engine
from engine.errors import InputError
from engine.events import DataLoaded, Progressed
from engine.loading import load_data, load_network, loss_for
from engine.looking.classes import changes, grown
from engine.monitor import Control, Monitor
from engine.recipe import parse, with_changes
from engine.steering.what_if import WhatIf

QUICK = parse(
    {
        "estimator": {"kind": "magnitude"},
        "finetune": {"epochs": 0},
        "machine": {"device": "cpu", "threads": 1},
    }
)
NAMES = ("cat", "dog", "owl")


@pytest.fixture(scope="module")
def network():
    study = engine.score(QUICK)
    units = WhatIf(study.ranking).forecast(QUICK.allocation).units
    return engine.scored_network(QUICK, study, units)


@pytest.fixture(scope="module")
def report(network):
    return engine.compare_classes(network, "test")


@pytest.fixture(scope="module")
def loaded():
    model, _ = load_network(QUICK, Monitor(), frozenset())
    data = load_data(QUICK, torch.device("cpu"), Monitor())
    return model.eval(), data, loss_for(model, QUICK, data, Monitor())


@torch.no_grad()
def outputs(model, split, state):
    model.load_state_dict(state)
    images, labels = split.batch(torch.arange(len(split)))
    return model(images).softmax(1), labels


def test_counts_are_those_of_plain_passes(network, report, loaded):
    model, data, _ = loaded
    before, labels = outputs(model, data.test, network.state)
    after, _ = outputs(model, data.test, network.pruned())
    was, now = before.argmax(1) == labels, after.argmax(1) == labels
    assert len(report.classes) == 10
    for number, each in enumerate(report.classes):
        mine = labels == number
        assert each.name == str(number) and each.images == int(mine.sum())
        assert (each.before, each.after) == (int(was[mine].sum()), int(now[mine].sum()))
        assert each.lost == int((was & ~now)[mine].sum())
        moved = (now[mine].double() - was[mine].double()) * 100
        assert each.change == pytest.approx(float(moved.mean()))
        assert each.error == pytest.approx(float(moved.std() / len(moved) ** 0.5))
    assert report.whole.images == len(data.test)
    told = {each.number: each for each in report.wrong}
    assert set(told) <= set((was & ~now).nonzero().squeeze(1).tolist())
    assert report.wrong and len(told) == min(60, report.whole.lost)
    for place, each in told.items():
        assert each.says == str(int(after[place].argmax()))
        assert each.sure == pytest.approx(float(after[place].max()), abs=1e-5)
        assert each.was_sure == pytest.approx(float(before[place].max()), abs=1e-5)
    sure = [each.sure for each in report.wrong]
    assert sure == sorted(sure, reverse=True)


def test_pictures_are_the_pixels_before_normalisation(report):
    pixels = load_digits().images
    for each in report.wrong[:5]:
        assert each.picture.shape == (8, 8, 3) and each.picture.dtype == np.uint8
        grey = each.picture[:, :, 0] / 255 * 16
        assert any(np.allclose(grey, image, atol=0.05) for image in pixels)


def test_a_run_is_compared_with_the_network_it_began_with(tmp_path, loaded):
    model, data, _ = loaded
    engine.run(QUICK, tmp_path / "run")
    run = engine.run_network(tmp_path / "run")
    report = engine.compare_classes(run)
    assert report.split == "validation"
    dense, _ = load_network(QUICK, Monitor(), frozenset())
    before, labels = outputs(dense, data.validation, dense.state_dict())
    after, _ = outputs(model, data.validation, run.state)
    assert report.whole.before == int((before.argmax(1) == labels).sum())
    assert report.whole.after == int((after.argmax(1) == labels).sum())


def test_images_are_read_once_for_several_looks(network, report):
    known, read = engine.Known(), []

    def heard(event):
        read.append(isinstance(event, DataLoaded))

    for _ in range(2):
        again = engine.compare_classes(network, "test", known, heard)
        assert again.classes == report.classes
    assert sum(read) == 2  # told each time
    data = known.data(QUICK, torch.device("cpu"), Monitor())
    fit = engine.fit_layer(network, "fc.weight", known)
    assert fit.name == "fc.weight"
    assert known.data(QUICK, torch.device("cpu"), Monitor()) is data


def test_stopping_and_missing_images(network):
    control = Control()

    def heard(event):
        if isinstance(event, Progressed) and event.label == "Measuring after":
            control.stop()

    assert engine.compare_classes(network, "test", None, heard, control) is None
    none = with_changes(QUICK, {"data.validation": 0.0})
    with pytest.raises(InputError, match="no validation images"):
        engine.compare_classes(engine.scored_network(none, network.study))


def test_the_confusion_that_grew_most_is_found():
    labels = np.array([0, 0, 0, 1, 1, 2])
    before = np.array([0, 0, 1, 1, 1, 0])
    after = np.array([1, 1, 1, 1, 2, 0])
    told = grown(NAMES, labels, before, after)
    assert (told.truth, told.says, told.before, told.after) == ("cat", "dog", 1, 3)
    assert grown(NAMES, labels, after, after) is None
    classes = changes(NAMES, labels, before, after)
    assert [(c.images, c.before, c.after) for c in classes] == [
        (3, 2, 0), (2, 2, 1), (1, 0, 0),
    ]  # fmt: skip
    assert classes[2].change == 0 and math.isnan(classes[2].error)
    empty = changes(NAMES, labels[:5], before[:5], after[:5])[2]
    assert math.isnan(empty.change)
