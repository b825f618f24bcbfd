"""K-FAC: factors, damping and products against full Kronecker products."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from engine.curvature.kronecker import kronecker_factors
from engine.errors import InputError, RunError
from engine.estimators import KFAC
from engine.events import Noticed
from engine.monitor import Monitor
from tests import reference
from tests.cases import BY_NAME, keep_all, keep_some, perceptron, problem


class Positions(nn.Module):
    """A linear layer on several positions of each image."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.inner(x)).mean(1))


def strided():
    conv = nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=1)
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(36, 3))


NETWORKS = {
    "linear": (lambda: nn.Linear(5, 3), (5,)),
    "mlp": (BY_NAME["mlp"].build, (2, 4)),
    "positions": (Positions, (6, 4)),
    "conv": (strided, (2, 6, 6)),
    "grouped": (BY_NAME["grouped"].build, (4, 5, 5)),
    "depthwise": (BY_NAME["depthwise"].build, (4, 5, 5)),
}
networks = pytest.mark.parametrize("network", NETWORKS)


def dense(given, damping: float, balanced: bool) -> dict:
    found = {}
    for name in given.names:
        layer = given.model.get_submodule(name.rpartition(".")[0])
        factors = reference.kronecker_factors(
            given.model, layer, given.train.images, given.train.labels
        )
        found[name] = torch.block_diag(
            *(
                reference.factored_damping(a, g, damping, balanced)
                for a, g in zip(*factors, strict=True)
            )
        )
    return found


def factors_of(given, fisher: str = "empirical") -> dict:
    order = torch.arange(len(given.train))
    return kronecker_factors(given, order, given.fetch(fisher), Monitor())


def fit(given, kept, **settings):
    return KFAC(images=len(given.train), **settings).fit(given, kept, Monitor(), 0)


@networks
@pytest.mark.parametrize("balanced", [True, False])
def test_scores_and_updates_are_those_of_the_full_product(network, balanced):
    given = problem(*NETWORKS[network], images=40)  # two pieces
    weights, kept = given.weights(), keep_all(given)
    found = fit(given, kept, damping=1e-3, balanced=balanced)
    scores = found.scores(weights)
    removed = {n: torch.rand_like(w) < 0.5 for n, w in weights.items()}
    step, (single, joint) = (
        found.removal(weights, removed).corrections,
        found.removal(weights, removed).predicted,
    )
    total = 0
    for name, fisher in dense(given, 1e-3, balanced).items():
        flat, gone = weights[name].reshape(-1), removed[name].reshape(-1)
        right = reference.saliencies(flat, fisher)
        torch.testing.assert_close(scores[name].reshape(-1), right, rtol=1e-7, atol=0)
        total += float(right[gone].sum())
        update = reference.summed_updates(flat, gone, fisher)
        torch.testing.assert_close(step[name].reshape(-1), update, rtol=1e-6, atol=1e-9)
    assert joint is None and single == pytest.approx(total, rel=1e-7)


@networks
def test_facts_are_the_mean_diagonal_of_what_is_left_and_the_damping(network):
    given = problem(*NETWORKS[network], images=40)
    kept = keep_some(given)
    facts = KFAC(images=40, damping=1e-3).fit(given, kept, Monitor(), 0).facts()
    plain, damped = (dense(given, damping, True) for damping in (0.0, 1e-3))
    for fact, (name, mask) in zip(facts, kept.items(), strict=True):
        live = mask.reshape(-1)
        right = float(plain[name].diag()[live].mean())
        added = float((damped[name] - plain[name]).diag().mean())
        assert (fact.name, fact.weights, fact.raised) == (name, int(live.sum()), 0)
        assert fact.mean == pytest.approx(right, rel=1e-6)
        assert fact.damping == pytest.approx(added, rel=1e-6)


@networks
def test_facts_with_corrected_eigenvalues_are_those_of_the_fisher(network):
    given = problem(*NETWORKS[network], images=40)
    facts = fit(given, keep_all(given), damping=1e-3, corrected=True).facts()
    rows = given.gradients(40, 1, 0, {}, Monitor())
    for fact in facts:  # the basis is orthogonal, so the trace is that of F
        right = float(rows[fact.name].double().square().mean())
        assert fact.mean == pytest.approx(right, rel=1e-6)
        assert fact.damping == pytest.approx(1e-3)


@pytest.mark.parametrize("network", ["linear", "mlp"])
def test_one_image_is_exact(network):
    given = problem(*NETWORKS[network], images=1)
    rows = given.gradients(1, 1, 0, {}, Monitor())
    factors = factors_of(given)
    found = fit(given, keep_all(given), damping=1e-3, corrected=True)
    for name, row in rows.items():
        full = torch.kron(factors[name].g[0], factors[name].a[0])
        torch.testing.assert_close(full, reference.fisher(row, 0))
        weight = given.weights()[name].reshape(-1)
        right = reference.saliencies(weight, reference.fisher(row, 1e-3))
        score = found.scores(given.weights())[name].reshape(-1)
        torch.testing.assert_close(score, right, rtol=1e-7, atol=0)


@networks
def test_corrected_eigenvalues_are_the_fishers_diagonal_in_the_basis(network):
    given = problem(*NETWORKS[network], images=20)
    found = fit(given, keep_all(given), damping=1e-3, corrected=True)
    rows = given.gradients(20, 1, 0, {}, Monitor())
    factors = factors_of(given)
    for name, weight in given.weights().items():
        basis = factors[name].basis(name)
        pairs = zip(basis.rows, basis.columns, strict=True)
        full = torch.block_diag(*(torch.kron(*pair) for pair in pairs))
        values = (full.T @ reference.fisher(rows[name], 1e-3) @ full).diag()
        fisher = full @ values.diag() @ full.T
        right = reference.saliencies(weight.reshape(-1), fisher)
        score = found.scores(given.weights())[name].reshape(-1)
        torch.testing.assert_close(score, right, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("case", ["grouped", "depthwise", "conv1d", "conv3d", "same"])
def test_every_convolution_keeps_the_scale_of_single_gradients(case):
    given = problem(BY_NAME[case].build, BY_NAME[case].shape, 20)
    rows = given.gradients(20, 1, 0, {}, Monitor())
    factors = factors_of(given)
    layer = given.model[0]
    assert len(factors["0.weight"].a) == layer.groups
    traces = [
        sum(float(a.trace() * g.trace()) for a, g in zip(each.a, each.g, strict=True))
        for each in (factors["0.weight"], factors["3.weight"])
    ]
    right = [float(rows[name].square().sum(1).mean()) for name in given.names]
    assert 0.2 < traces[0] / right[0] < 5 and 0.2 < traces[1] / right[1] < 5
    scores = fit(given, keep_all(given)).scores(given.weights())
    assert all((scores[name] > 0).all() for name in given.names)


def test_each_group_has_the_factors_of_its_own_channels():
    given = problem(BY_NAME["grouped"].build, (4, 5, 5), 20)
    found = factors_of(given)["0.weight"]
    for group, channels in enumerate(given.train.images.split(2, dim=1)):
        patches = F.unfold(channels, 3)
        right = torch.einsum("nip,njp->ij", patches, patches) / 20
        torch.testing.assert_close(found.a[group], right)


def test_a_layer_that_sees_nothing_is_told():
    given, said = problem(*NETWORKS["mlp"], images=40), []
    given.train.images[:] = 0.0
    monitor = Monitor(lambda e: said.append(e) if isinstance(e, Noticed) else None)
    KFAC(images=40).fit(given, keep_all(given), monitor, 0)
    assert any(given.names[0] in e.message for e in said if "balanced" in e.message)
    said.clear()
    KFAC(images=40, corrected=True).fit(given, keep_all(given), monitor, 0)
    assert not any("balanced" in e.message for e in said)


def test_large_damping_ranks_as_magnitude():
    given = perceptron()
    scores = fit(given, keep_all(given), damping=1e6, balanced=False).scores(
        given.weights()
    )
    for name, weight in given.weights().items():
        order = scores[name].flatten().argsort()
        assert torch.equal(order, weight.flatten().abs().argsort())


def test_removed_weights_stay_out_of_the_update():
    given = perceptron()
    kept, weights = keep_some(given), given.weights()
    found = fit(given, kept)
    removed = {n: kept[n] & (torch.rand(w.shape) < 0.5) for n, w in weights.items()}
    for name, step in found.removal(weights, removed).corrections.items():
        assert not step[~kept[name]].any()
        assert torch.equal(step[removed[name]], -weights[name][removed[name]])
        assert step[kept[name] & ~removed[name]].abs().min() > 0


def test_true_fisher_draws_other_labels():
    given = perceptron()
    factors = [factors_of(given, kind)["2.weight"] for kind in ("empirical", "true")]
    torch.testing.assert_close(factors[0].a, factors[1].a)
    assert not torch.allclose(factors[0].g, factors[1].g)


@pytest.mark.parametrize("name", ["attention", "transposed"])
def test_other_layers_are_refused_by_name(name):
    case = BY_NAME[name]
    given = problem(case.build, case.shape)
    with pytest.raises(InputError, match=case.vmapped[0]):
        fit(given, keep_all(given))


@pytest.mark.parametrize("name", ["unused", "uncalled"])
def test_a_layer_without_gradient_is_refused(name):
    given = problem(BY_NAME[name].build, (4,))
    with pytest.raises(InputError, match=r"does not know the layers of inner\.weight"):
        fit(given, keep_all(given))


def test_gradients_that_are_not_finite_are_refused():
    given = perceptron()
    given.train.images[3] = torch.nan
    with pytest.raises(RunError, match="not finite"):
        fit(given, keep_all(given))
