"""Amended runs: what is to come changes, is recorded, and is replayed the same."""

import json

import pytest
import torch
from safetensors.torch import load_file

import engine
from engine.errors import InputError
from engine.events import (
    Amended,
    AmendmentRefused,
    EpochFinished,
    Halved,
    LevelsPlanned,
    Pruned,
    RunFinished,
    RunStopped,
    Trained,
)
from engine.recipe import Recipe, parse, with_changes

PLAIN = {
    "estimator.samples": 24,
    "estimator.block_size": 200,
    "finetune.epochs": 0,
    "allocation.sparsity": 0.8,
    "schedule.recomputations": 4,
    "checks.images": 0,
    "machine.threads": 1,
    "machine.device": "cpu",
}
GRADUAL = {
    **PLAIN,
    "schedule.kind": "gradual",
    "schedule.recomputations": 1,
    "schedule.first": 0.3,
    "schedule.start": 0,
    "schedule.end": 2,
    "finetune.epochs": 3,
    "finetune.batch": 256,
}


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def amended_run(folder, recipe, *asked):
    """Run; `asked` are (when, changes), asked for at the first event that fits."""
    control, events, waiting = engine.Control(), [], list(asked)

    def emit(event):
        events.append(event)
        if waiting and waiting[0][0](event):
            control.amend(waiting.pop(0)[1])

    engine.run(recipe, folder, emit, control)
    assert not waiting
    return events


def after_prune(step):
    return lambda event: isinstance(event, Pruned) and event.step == step


def after_epoch(epoch):
    return lambda event: isinstance(event, EpochFinished) and event.epoch == epoch


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def assert_alike(one, other):
    first, second = summary(one), summary(other)
    assert first["mask_sha256"] == second["mask_sha256"]
    assert first["final"] == second["final"]
    assert first["amendments"] == second["amendments"]
    weights = [load_file(folder / "model.safetensors") for folder in (one, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_target_changed_between_steps_without_fine_tuning(tmp_path):
    recipe = with_changes(Recipe(), PLAIN)
    target = {"allocation.sparsity": 0.7}
    events = amended_run(tmp_path / "run", recipe, (after_prune(2), target))
    [told] = of(Amended, events)
    assert (told.epoch, told.prunes, told.halvings) == (0, 2, 0)
    assert told.changes == (("allocation.sparsity", 0.7),)
    assert told.words == "sparsity 0.7 instead of 0.8"
    first, second = of(LevelsPlanned, events)
    assert first.sparsities == (0.8,)
    assert second.sparsities == pytest.approx((1 - 0.2**0.5, 0.7))
    assert [event.step for event in of(Pruned, events)] == [1, 2, 3, 4]
    assert summary(tmp_path / "run")["sparsity"] == pytest.approx(0.7, abs=1e-4)

    recorded = engine.recipe_of(tmp_path / "run")
    assert recorded.allocation.sparsity == 0.8
    assert recorded.amendments[0].at == (0, 2, 0)
    assert summary(tmp_path / "run")["amendments"] == [
        {"epoch": 0, "prunes": 2, "halvings": 0, "changes": target}
    ]
    engine.run(recorded, tmp_path / "replay")
    assert_alike(tmp_path / "run", tmp_path / "replay")
    assert engine.recipe_of(tmp_path / "replay") == recorded
    engine.run(recipe, tmp_path / "plain")
    plain, changed = (summary(tmp_path / each) for each in ("plain", "run"))
    assert plain["mask_sha256"] != changed["mask_sha256"]


CHANGES = {
    "allocation.sparsity": 0.9,
    "schedule.end": 3,
    "finetune.epochs": 4,
    "finetune.learning_rate": 0.004,
}


@pytest.fixture(scope="module")
def gradual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "gradual"
    recipe = with_changes(Recipe(), GRADUAL)
    rate = {"finetune.learning_rate": 0.002}
    asked = ((after_epoch(1), CHANGES), (after_epoch(3), rate))
    return folder, amended_run(folder, recipe, *asked)


def test_a_gradual_run_is_amended_twice(gradual):
    folder, events = gradual
    first, second = of(Amended, events)
    assert (first.epoch, first.prunes) == (1, 1)
    assert (second.epoch, second.prunes) == (3, 3)
    replanned = of(LevelsPlanned, events)[1]
    assert replanned.epochs == (0, 1, 2, 3) and replanned.total_epochs == 4
    by_hand = [0.9 + (0.3 - 0.9) * (1 - t / 3) ** 3 for t in range(4)]
    assert replanned.sparsities == pytest.approx((0.3, *by_hand[1:]))
    pruned = [event.sparsity for event in of(Pruned, events)]
    assert pruned == pytest.approx(replanned.sparsities, abs=1e-4)
    recipe = engine.recipe_of(folder)
    for event in of(Trained, events):
        held = recipe.amended(sum(event.epoch > at for at in (1, 3))).finetune
        batch = held.rate_at(event.epoch)
        assert 0 < event.learning_rate - batch < 0.2 * held.learning_rate
    assert summary(folder)["epochs"] == 4


def test_a_replay_of_a_fine_tuned_run_is_the_same(gradual, tmp_path):
    folder, events = gradual
    replayed = []
    engine.run(engine.recipe_of(folder), tmp_path / "replay", replayed.append)
    assert_alike(folder, tmp_path / "replay")
    for kind in (Amended, LevelsPlanned, Pruned):
        first, second = (
            [vars(event) | {"time": 0} for event in of(kind, each)]
            for each in (events, replayed)
        )
        assert first == second


@pytest.mark.parametrize("where", [after_epoch(2), after_prune(2)])
def test_a_stopped_amended_run_goes_on_by_its_amendments(gradual, tmp_path, where):
    folder, _ = gradual
    control, state = engine.Control(), {}

    def emit(event):
        if where(event) and not state:
            state["stopped"] = True
            control.stop()

    last = engine.run(engine.recipe_of(folder), tmp_path / "run", emit, control)
    assert isinstance(last, RunStopped)
    engine.resume(tmp_path / "run")
    assert_alike(folder, tmp_path / "run")


def test_a_change_survives_a_crash_before_the_next_state(tmp_path):
    control, states = engine.Control(), tmp_path / "run" / "states"

    def emit(event):
        if after_epoch(1)(event):
            control.amend(CHANGES)
            control.amend({"finetune.learning_rate": 0.002})
        elif isinstance(event, Amended):
            control.stop()

    recipe = with_changes(Recipe(), GRADUAL)
    engine.run(recipe, tmp_path / "run", emit, control)
    assert len(engine.recipe_of(tmp_path / "run").amendments) == 2
    sorted(states.glob("*.pt"))[-1].unlink()  # the one that knows of the changes
    events = []
    engine.resume(tmp_path / "run", events.append)
    assert len(of(Amended, events)) == 2
    engine.run(engine.recipe_of(tmp_path / "run"), tmp_path / "replay")
    assert_alike(tmp_path / "run", tmp_path / "replay")


def test_what_is_asked_inside_a_step_that_was_stopped_waits_for_its_end(tmp_path):
    """A stop in the middle of an epoch is no boundary, for a replay has none there."""
    recipe = with_changes(Recipe(), {**GRADUAL, "finetune.batch": 64})
    control = engine.Control()

    def emit(event):
        if isinstance(event, Trained) and event.epoch > 1:
            control.stop()

    engine.run(recipe, tmp_path / "run", emit, control)
    again, events = engine.Control(), []
    again.amend({"finetune.epochs": 4})
    engine.resume(tmp_path / "run", events.append, again)
    [told] = of(Amended, events)
    assert (told.epoch, told.prunes) == (2, 2)
    engine.run(engine.recipe_of(tmp_path / "run"), tmp_path / "replay")
    assert_alike(tmp_path / "run", tmp_path / "replay")


def test_a_halved_step_is_a_position_of_its_own(tmp_path):
    recipe = with_changes(
        Recipe(),
        {
            **PLAIN,
            "schedule.recomputations": 1,
            "schedule.adaptive": 1,
            "checks.images": 40,
            "allocation.sparsity": 0.95,
        },
    )

    def halved(event):
        return isinstance(event, Halved)

    events = amended_run(
        tmp_path / "run", recipe, (halved, {"allocation.sparsity": 0.93})
    )
    [told] = of(Amended, events)
    assert (told.epoch, told.prunes, told.halvings) == (0, 0, 1)
    engine.run(engine.recipe_of(tmp_path / "run"), tmp_path / "replay")
    assert_alike(tmp_path / "run", tmp_path / "replay")
    one, other = (summary(tmp_path / each)["halved"] for each in ("run", "replay"))
    assert one == other and one[0]["end"] == 0.95


REFUSED = (
    (after_prune(1), {"allocation.sparsity": 0.25}, "is removed already"),
    (after_epoch(2), {"schedule.end": 1}, "2 are done"),
    (after_epoch(1), {"finetune.epochs": 1}, "fine-tuning has 1"),
    (after_epoch(3), {"finetune.epochs": 2}, "cannot be 2 in all"),
    (after_epoch(3), {"allocation.sparsity": 0.95}, "All prunes are done"),
    (after_epoch(1), {"schedule.end": 2}, "does so already"),
    (after_epoch(1), {"schedule.end": 500_000}, "not valid"),
    (after_epoch(1), {"estimator.samples": 10}, "cannot change during a run"),
    (after_epoch(1), {"schedule.spacing": 10}, "cannot change during a run"),
)


def test_what_does_not_fit_is_refused_in_words_and_changes_nothing(tmp_path):
    settings = {key: value for key, value in GRADUAL.items() if "estimator" not in key}
    recipe = with_changes(Recipe(), {**settings, "estimator.kind": "magnitude"})
    events = []
    control, waiting = engine.Control(), list(REFUSED)

    def emit(event):
        events.append(event)
        for each in [each for each in waiting if each[0](event)]:
            waiting.remove(each)
            control.amend(each[1])

    last = engine.run(recipe, tmp_path / "run", emit, control)
    assert isinstance(last, RunFinished) and not waiting
    refused = [event.message for event in of(AmendmentRefused, events)]
    assert len(refused) == len(REFUSED) and not of(Amended, events)
    for _, _, words in REFUSED:
        assert any(words in message for message in refused), words
    assert len(of(LevelsPlanned, events)) == 1
    assert engine.recipe_of(tmp_path / "run") == recipe
    assert summary(tmp_path / "run")["amendments"] == []


def test_a_recorded_amendment_that_does_not_fit_is_left_out(tmp_path):
    amendment = {"epoch": 0, "prunes": 2, "changes": {"allocation.sparsity": 0.1}}
    content = with_changes(Recipe(), PLAIN).model_dump(mode="json")
    recipe = parse({**content, "amendments": [amendment]})
    events = []
    engine.run(recipe, tmp_path / "run", events.append)
    assert len(of(AmendmentRefused, events)) == 1
    assert engine.recipe_of(tmp_path / "run").amendments == ()


def test_only_some_settings_can_be_amended():
    with pytest.raises(InputError, match="cannot change during a run"):
        parse({"amendments": [{"epoch": 1, "changes": {"machine.seed": 3}}]})
    with pytest.raises(InputError):
        parse({"amendments": [{"epoch": -1, "changes": {}}]})
