"""Fitting one layer: the removal of a single weight, against dense matrices."""

import pytest
import torch

import engine
from engine.errors import InputError
from engine.events import Progressed
from engine.loading import load_data, load_network
from engine.looking.networks import Network
from engine.monitor import Control, Monitor
from engine.problem import draw
from engine.recipe import parse, with_changes
from engine.steering.events import LookEnded
from tests import reference

LAYER = "layer2.0.conv1.weight"
SAMPLES, BLOCK, DAMPING = 40, 300, 1e-4
QUICK = parse(
    {
        "estimator": {
            "kind": "woodfisher",
            "samples": SAMPLES,
            "block_size": BLOCK,
            "damping": DAMPING,
        },
        "machine": {"device": "cpu", "threads": 1},
    }
)


@pytest.fixture(scope="module")
def study():
    return engine.score(QUICK)


@pytest.fixture(scope="module")
def network(study):
    return engine.scored_network(QUICK, study)


@pytest.fixture(scope="module")
def fit(network):
    return engine.fit_layer(network, LAYER)


@pytest.fixture(scope="module")
def rows():
    """Gradients of the layer, image by image."""
    model, _ = load_network(QUICK, Monitor(), frozenset())
    data = load_data(QUICK, torch.device("cpu"), Monitor())
    order = draw(len(data.train), SAMPLES, 1, QUICK.machine.seed, Monitor())
    images, labels = data.train.batch(order.reshape(-1))
    return reference.gradient_rows(model, (LAYER,), images, labels, 1)[LAYER]


def block_of(position):
    return slice(position // BLOCK * BLOCK, (position // BLOCK + 1) * BLOCK)


@pytest.mark.parametrize("position", [0, 777, 4607])
def test_one_removal_is_the_dense_obs_update(network, fit, rows, position):
    weights = network.state[LAYER].reshape(-1).double()
    here = block_of(position)
    curvature = reference.fisher(rows[:, here], DAMPING)
    alone = torch.zeros_like(weights, dtype=torch.bool)
    alone[position] = True
    step = torch.zeros_like(weights)
    step[here] = reference.summed_updates(weights[here], alone[here], curvature)
    told = fit.remove(position)
    assert told.value == pytest.approx(float(weights[position]))
    right = reference.saliencies(weights[here], curvature)[position - here.start]
    assert told.loss == pytest.approx(float(right), rel=1e-4)
    step[position] = 0
    ten = step.abs().topk(10)
    assert {each.position for each in told.movers} == set(ten.indices.tolist())
    for mover in told.movers:
        assert mover.layer == LAYER
        assert mover.move == pytest.approx(float(step[mover.position]), rel=1e-3)
        assert mover.before == pytest.approx(float(weights[mover.position]))
    sizes = [abs(mover.move) for mover in told.movers]
    assert sizes == sorted(sizes, reverse=True)
    share = float(ten.values.sum() / step.abs().sum())
    assert told.share == pytest.approx(share, rel=1e-3)


def test_the_layer_alone_has_the_saliencies_of_the_scoring(network, fit):
    for position in (3, 1500):
        scored = network.saliency(LAYER, position)
        assert fit.remove(position).loss == pytest.approx(scored.value, rel=1e-6)
        assert fit.remove(position).saliency is None  # the scoring tells more


def test_ranks_count_what_goes_before(network, study):
    layers = study.ranking.layers
    order = study.order[LAYER].reshape(-1)
    place = 1234
    told = network.saliency(LAYER, int(order[place]))
    score = layers[LAYER].scores[place]
    assert (told.value, told.rank, told.among) == (score, place + 1, len(order))
    assert told.overall == 1 + sum(
        int((x.scores < score).sum()) for x in layers.values()
    )
    assert told.of == sum(len(each.scores) for each in layers.values())
    assert network.saliency("bn1.weight", 0) is None


def test_the_members_of_a_group_share_saliency_and_rank():
    recipe = parse({"pattern": {"kind": "groups"}, "estimator": {"kind": "magnitude"}})
    study = engine.score(recipe)
    network = engine.scored_network(recipe, study)
    first, *rest = study.order[LAYER][7].tolist()
    told = network.saliency(LAYER, first)
    assert rest and all(network.saliency(LAYER, each) == told for each in rest)
    assert told.rank == 7 * (1 + len(rest)) + 1
    assert told.among == study.ranking.layers[LAYER].size


@pytest.mark.parametrize("kind", ["mfac", "woodtaylor", "exact_obs", "kfac", "fishleg"])
def test_other_methods_move_by_their_own_update(study, kind):
    few = {"samples": 20} if kind in ("mfac", "woodtaylor") else {"images": 20}
    if kind == "fishleg":
        few["iterations"] = 0
    recipe = parse(
        {
            "estimator": {"kind": kind} | few,
            "allocation": {"exclude": ["layer1.*", "layer2.0.conv2", "layer3.*"]},
            "machine": {"device": "cpu", "threads": 1},
        }
    )
    network = engine.scored_network(recipe, engine.score(recipe))
    fit = engine.fit_layer(network, LAYER)
    told = fit.remove(5)
    gone = {name: torch.zeros_like(mask) for name, mask in fit.masks.items()}
    still = fit.curvature.removal(fit.weights, gone)
    gone[LAYER].view(-1)[5] = True
    both = fit.curvature.removal(fit.weights, gone)
    moves = both.corrections[LAYER] - still.corrections[LAYER]
    for mover in told.movers:
        if mover.layer == LAYER:
            assert mover.move == pytest.approx(float(moves.view(-1)[mover.position]))
    assert len(told.movers) == 10 and 0 < told.share <= 1
    assert recipe.estimator.compensates
    if kind == "mfac":  # all layers are one vector, so others take over too
        assert {each.layer for each in told.movers} != {LAYER}
    if kind not in ("exact_obs", "kfac", "fishleg"):
        scored = network.saliency(LAYER, 5).value
        assert told.loss == pytest.approx(scored, rel=1e-5)


def test_methods_that_move_nothing_say_so(study):
    for kind in ("magnitude", "diagonal_fisher", "taylor", "trace", "random"):
        assert not parse({"estimator": {"kind": kind}}).estimator.compensates
    none = with_changes(QUICK, {"estimator.compensation": "none"})
    assert not none.estimator.compensates


def test_a_run_is_fitted_where_it_stands(tmp_path):
    short = with_changes(QUICK, {"finetune.epochs": 0, "allocation.sparsity": 0.6})
    engine.run(short, tmp_path / "run")
    network = engine.run_network(tmp_path / "run")
    assert network.moment == "" and network.study is None
    shown = network.layer(LAYER)
    assert shown.zeros > 0 and not shown.going.any()
    fit = engine.fit_layer(network, LAYER)
    gone, live = (int(each.argmax()) for each in (shown.gone, ~shown.gone))
    assert fit.remove(gone).movers == () and fit.remove(gone).saliency is None
    told = fit.remove(live)
    assert told.saliency.value == pytest.approx(told.loss, rel=1e-6)
    assert told.saliency.among == shown.values.size - shown.zeros
    assert not any(shown.gone.reshape(-1)[each.position] for each in told.movers)


def test_a_dense_layer_and_a_stop_leave_nothing(network, study):
    dense = with_changes(QUICK, {"allocation.exclude": [LAYER]})
    with pytest.raises(InputError, match="dense"):
        engine.fit_layer(engine.scored_network(dense, study), LAYER)
    control, seen = Control(), []

    def heard(event):
        seen.append(event)
        if isinstance(event, Progressed) and event.label == "Gradients":
            control.stop()

    assert engine.fit_layer(network, LAYER, None, heard, control) is None
    assert isinstance(seen[-1], LookEnded) and "stopped" in seen[-1].message


def test_another_network_than_the_recipe_builds_is_refused(study):
    state = {**study.state, "extra.weight": torch.zeros(2, 2)}
    other = Network(QUICK, state)
    with pytest.raises(InputError, match="not the one its recipe builds"):
        engine.fit_layer(other, LAYER)
    with pytest.raises(InputError, match="not the one its recipe builds"):
        engine.compare_classes(other)


def test_what_would_go_is_told_apart_from_what_is_gone(study):
    units = {LAYER: 100}
    network = engine.scored_network(QUICK, study, units)
    shown = network.layer(LAYER)
    assert shown.going.sum() == 100 and shown.zeros == 0
    lowest = study.order[LAYER][:100].reshape(-1).tolist()
    assert shown.going.reshape(-1)[lowest].all()
    after = network.pruned()[LAYER].reshape(-1)
    assert not after[lowest].any() and int((after != 0).sum()) == after.numel() - 100
    assert bool(network.state[LAYER].all())
    assert LAYER in network.layers() and "bn1.weight" not in network.layers()
    assert network.shape(LAYER) == shown.values.shape == (32, 16, 3, 3)
