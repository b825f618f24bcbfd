"""Fine-tuning holds masks, finds the best epoch and follows its settings."""

import math

import pytest
import torch
from torch import nn

from engine.data import Digits
from engine.errors import RunError
from engine.finetune import Finetuner, make_optimizer
from engine.loss import Loss
from engine.monitor import Monitor
from engine.settings import Finetune


@pytest.fixture(scope="module")
def data():
    return Digits().load(torch.device("cpu"), 0, Monitor())


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10))


def finetuner(model, data, **settings):
    settings = Finetune(**{"epochs": 2, "learning_rate": 0.1, **settings})
    return Finetuner(model, data, Loss(), settings, 0, 256, Monitor())


def half_mask(model):
    return {"1.weight": torch.rand(20, 64) > 0.5}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_removed_weights_stay_exactly_zero_through_every_step(data, optimizer):
    model = network()
    masks = half_mask(model)
    with torch.no_grad():
        model[1].weight[~masks["1.weight"]] = 0.0
    tuner = finetuner(model, data, optimizer=optimizer, weight_decay=0.1)
    before = model[1].weight.detach().clone()
    tuner.run_epoch(masks, recovering=True)
    after = model[1].weight.detach()
    assert not after[~masks["1.weight"]].any()
    assert (after != before)[masks["1.weight"]].float().mean() > 0.5


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_momentum_of_removed_weights_is_cleared(data, optimizer):
    model = network()
    tuner = finetuner(model, data, optimizer=optimizer)
    everything = {"1.weight": torch.ones(20, 64, dtype=torch.bool)}
    tuner.run_epoch(everything, recovering=False)
    gone = ~half_mask(model)["1.weight"]
    tuner.forget({"1.weight": gone})
    states = tuner.state_dict()["optimizer"]["state"]
    shaped = [
        value
        for state in states.values()
        for value in state.values()
        if torch.is_tensor(value) and value.shape == (20, 64)
    ]
    assert shaped
    for value in shaped:
        assert not value[gone].any() and value[~gone].any()


def test_learning_rate_schedules():
    cosine = Finetune(epochs=4, learning_rate=1.0, decay="cosine")
    assert cosine.rate_at(0) == 1.0
    assert cosine.rate_at(2) == pytest.approx(0.5)
    assert cosine.rate_at(4) == pytest.approx(0.0)
    step = Finetune(
        epochs=9, learning_rate=1.0, decay="step", decay_every=3, decay_factor=0.1
    )
    assert step.rate_at(2.99) == 1.0
    assert step.rate_at(6.0) == pytest.approx(0.01)
    assert Finetune(decay="constant", learning_rate=0.3).rate_at(7) == 0.3


def test_weight_decay_goes_off_after_the_last_prune_when_asked(data):
    model = network()
    tuner = finetuner(model, data, weight_decay=0.5, decay_off_after_prune=True)
    tuner.run_epoch({}, recovering=False)
    assert tuner.state_dict()["optimizer"]["param_groups"][0]["weight_decay"] == 0.5
    tuner.run_epoch({}, recovering=True)
    assert tuner.state_dict()["optimizer"]["param_groups"][0]["weight_decay"] == 0.0


def test_only_epochs_after_the_last_prune_can_be_the_best(data):
    model = network()
    tuner = finetuner(model, data, decay="constant")
    tuner.run_epoch({}, recovering=False)
    assert tuner.best is None
    tuner.run_epoch({}, recovering=True)
    assert tuner.best["epoch"] == 2
    with torch.no_grad():
        model[1].weight.zero_()
    assert tuner.restore_best() == 2
    assert model[1].weight.any()


def test_a_worse_epoch_does_not_replace_the_best(data):
    model = network()
    tuner = finetuner(model, data)
    tuner.run_epoch({}, recovering=True)
    kept = tuner.best["accuracy"]
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    tuner._set(lr=0.0)
    tuner.run_epoch({}, recovering=True)
    assert tuner.best["accuracy"] >= kept


def test_fine_tuning_learns(data):
    model = network()
    tuner = finetuner(model, data)
    first = tuner.run_epoch({}, recovering=True)
    second = tuner.run_epoch({}, recovering=True)
    assert second.loss < first.loss and second.accuracy > 60


def test_divergence_is_a_sentence(data):
    model = network()
    with torch.no_grad():
        model[1].weight.fill_(math.inf)
    with pytest.raises(RunError, match="diverged"):
        finetuner(model, data).run_epoch({}, recovering=True)


def test_a_last_batch_of_one_image_is_left_out(data):
    count = len(data.train)
    tuner = finetuner(network(), data, batch=count - 1)
    assert [len(batch) for batch in tuner._order()] == [count - 1]


def test_single_images_are_counted_as_they_are_served(data):
    tuner = finetuner(network(), data, batch=1)
    assert len(tuner._order()) == len(data.train)
    tuner.batch = len(data.train)
    assert tuner.position == 1.0


def test_the_largest_seed_of_a_recipe_trains(data):
    settings = Finetune(epochs=1, batch=1024)
    largest = 2**31 - 1
    tuner = Finetuner(network(), data, Loss(), settings, largest, 256, Monitor())
    assert math.isfinite(tuner.run_epoch({}, recovering=True).loss)


def test_optimisers_take_their_settings():
    model = network()
    sgd = make_optimizer(model, Finetune(momentum=0.5, weight_decay=0.2))
    assert sgd.defaults["momentum"] == 0.5 and sgd.defaults["weight_decay"] == 0.2
    assert isinstance(
        make_optimizer(model, Finetune(optimizer="adamw")), torch.optim.AdamW
    )
