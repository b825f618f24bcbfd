"""Sharing work out, without any other process: who gets what."""

import pickle

import pytest
import torch
import torch.distributed as dist

import engine
from engine.curvature.base import Removal
from engine.errors import InputError, RunError, Stopped, TrustNeeded
from engine.events import Noticed
from engine.monitor import Control, Monitor
from engine.recipe import parse
from engine.sharing.joining import join
from engine.sharing.processes import ALONE
from engine.sharing.shared import SharedCurvature
from engine.sharing.shares import held_rows, holders
from engine.sharing.team import Team, portable


def test_a_single_process_joins_nobody(monkeypatch):
    for variables in ({}, {"WORLD_SIZE": "1", "RANK": "0"}):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with join() as ranks:
            assert (ranks.size, ranks.first) == (1, True)
            assert not dist.is_initialized()


def test_a_recipe_for_more_processes_than_there_are_is_noticed(tmp_path):
    quick = {"estimator": {"kind": "magnitude"}, "finetune": {"epochs": 0}}
    recipe = parse(quick | {"machine": {"processes": 3, "threads": 1}})
    events = []
    engine.run(recipe, tmp_path / "run", events.append)
    noticed = [event.hint for event in events if isinstance(event, Noticed)]
    assert any("--nproc-per-node 3" in hint for hint in noticed)


def teams(size):
    return [Team(None, rank, size, rank) for rank in range(size)]


@pytest.mark.parametrize("count", [8, 9, 31, 64])
def test_slices_make_up_the_batch_and_the_mean(count):
    batch = torch.randperm(count)
    slices = [each.slice(batch) for each in teams(4)]
    assert torch.equal(torch.cat([mine for mine, _ in slices]), batch)
    assert all(len(mine) >= 2 for mine, _ in slices)
    mean = sum(weight * mine.double().mean() for mine, weight in slices)
    assert mean == pytest.approx(float(batch.double().mean()))


def test_a_batch_too_small_to_slice_goes_to_everyone():
    batch = torch.arange(7)
    slices = [each.slice(batch) for each in teams(4)]
    assert all(torch.equal(mine, batch) for mine, _ in slices)
    assert sum(weight for _, weight in slices) == 1


def test_shares_are_complete_and_disjoint():
    items = list(range(11))
    shares = [each.share(items) for each in teams(3)]
    assert sorted(item for share in shares for item in share) == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_layers_are_dealt_out_evenly():
    sizes = {"a": 10, "b": 80, "c": 40, "d": 35, "e": 5}
    weights = {name: torch.zeros(size) for name, size in sizes.items()}
    owned = holders(weights, teams(2)[0])
    assert list(owned) == list(sizes)
    loads = [sum(sizes[n] for n in owned if owned[n] == rank) for rank in (0, 1)]
    assert sorted(loads) == [85, 85]
    assert set(holders(weights, ALONE).values()) == {0}


class Pretender(Team):
    """Rank 0 of two, whose other process sends what it would have."""

    def __init__(self, answer):
        super().__init__(None, 0, 2, 0)
        self.answer = answer

    def gather(self, rows, counts, target):
        own = [rows, self.answer.split(counts)[1]]
        assert [len(each) for each in own] == counts
        return own if target == 0 else []


@pytest.mark.parametrize("count", [20, 64, 100])
def test_rows_come_back_in_their_order(count):
    groups = torch.randperm(count)[:, None]
    order = torch.arange(count).split(32)
    wanted = [torch.cat([groups[:0, 0], *order[r::2]]) for r in (0, 1)]
    theirs = groups[torch.cat(wanted)].float()
    rows = held_rows(
        lambda mine: {"a": mine.float(), "b": mine.float()},
        groups,
        {"a": 0, "b": 1},
        Pretender(theirs),
        Monitor(),
    )
    assert list(rows) == ["a"]
    assert torch.equal(rows["a"], groups.float())


class Both(Control):
    """The other process of two ends its share with `outcome`."""

    def __init__(self, outcome):
        super().__init__()
        self.outcome = outcome

    def gather(self, outcome):
        return [outcome, self.outcome]


def test_a_failure_elsewhere_is_raised_here():
    monitor = Monitor(control=Both((RunError("Broken.", "Mend."), [])))
    with pytest.raises(RunError, match="Broken"), monitor.apart():
        pass


def test_a_failure_outranks_a_stop():
    monitor = Monitor(control=Both((Stopped(), [])))
    with pytest.raises(RunError, match="Broken"), monitor.apart():
        raise RunError("Broken.", "Mend.")
    with pytest.raises(Stopped), monitor.apart():
        pass


def test_what_another_noticed_is_noticed_once():
    other = Monitor()
    other.notice("Same.")
    other.notice("Theirs.", level="info")
    events = []
    monitor = Monitor(events.append, Both((None, other.noticed)))
    with monitor.apart():
        monitor.notice("Same.")
    assert [event.message for event in events] == ["Same.", "Theirs."]


def test_errors_travel():
    error = portable(InputError("What.", "Do.", ("one", "two")))
    assert isinstance(error, InputError)
    assert (error.message, error.hint, error.details) == (
        "What.",
        "Do.",
        ("one", "two"),
    )
    assert pickle.loads(pickle.dumps(TrustNeeded("x.py", "ab"))).digest == "ab"

    class Local(Exception):
        """Cannot be pickled."""

    assert "Local: gone" in str(portable(Local("gone")))


class Half:
    """A curvature of one layer, asked for more by nobody."""

    def __init__(self, predicted):
        self._predicted = predicted

    def removal(self, weights, removed, sets):
        assert list(weights) == list(removed) == list(sets or ["a"]) == ["a"]
        layers = {} if self._predicted[0] is None else {"a": self._predicted}
        return Removal({"a": torch.full((2,), -1.0)}, *self._predicted, layers)


class Doubled(Team):
    """Rank 0 of two, whose other process adds as much again."""

    def __init__(self):
        super().__init__(None, 0, 2, 0)

    def sum(self, values):
        return values.mul_(2)

    def send(self, values, owner):
        return values if owner == 0 else values.fill_(-7)


@pytest.mark.parametrize(
    ("own", "everyone"),
    [((1.5, 1.0), (3, 2)), ((1.5, None), (3, None)), ((None, None), (None, None))],
)
def test_predicted_losses_add_up_where_they_are_known(own, everyone):
    weights = {"a": torch.ones(2), "b": torch.ones(2)}
    shared = SharedCurvature(Half(own), {"a": 0, "b": 1}, Doubled(), Monitor())
    found = shared.removal(weights, weights)
    assert found.predicted == everyone
    assert found.layers == ({} if everyone[0] is None else {"a": everyone})
    assert {n: each.tolist() for n, each in found.corrections.items()} == {
        "a": [-1, -1],
        "b": [-7, -7],
    }
    sets = {name: torch.zeros(1, 2, dtype=torch.long) for name in weights}
    assert shared.removal(weights, weights, sets).predicted == (
        tuple(None if each is None else 2 * each for each in own)
    )
