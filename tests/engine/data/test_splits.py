"""Drawing one split from another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.data.base import Data, DataSpec
from engine.data.splits import draw_test, limited, proportional, stratified
from engine.errors import InputError
from engine.events import DataLoaded, Noticed
from engine.recipe import Recipe, with_changes


@settings(max_examples=40, deadline=None)
@given(
    labels=st.lists(st.integers(0, 5), max_size=60),
    share=st.floats(0, 0.99),
    seed=st.integers(0, 2**31),
)
def test_every_class_gives_its_share_and_keeps_an_image(labels, share, seed):
    labels = torch.tensor(labels, dtype=torch.int64)
    kept, drawn = stratified(labels, share, torch.Generator().manual_seed(seed))
    assert sorted([*kept.tolist(), *drawn.tolist()]) == list(range(len(labels)))
    for label in labels.unique():
        count = int((labels == label).sum())
        taken = int((labels[drawn] == label).sum())
        assert taken < count
        assert abs(taken - share * count) <= 1
        assert taken > 0 or share == 0 or count == 1


def test_the_seed_decides_who_is_drawn():
    labels = torch.arange(200) % 4

    def drawn(seed):
        return stratified(labels, 0.3, torch.Generator().manual_seed(seed))[1].tolist()

    assert drawn(1) == drawn(1) != drawn(2)


def test_too_few_images_for_a_test_set_are_refused():
    with pytest.raises(InputError, match="too few images"):
        draw_test(torch.tensor([0, 1, 2]), 0.5)


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 5), min_size=1, max_size=60),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_a_proportional_draw_is_exact_and_fair(labels, share, seed):
    labels = torch.tensor(labels, dtype=torch.int64)
    count = round(share * len(labels))
    drawn = proportional(labels, count, torch.Generator().manual_seed(seed))
    assert drawn.tolist() == sorted(set(drawn.tolist())) and len(drawn) == count
    for label in labels.unique():
        exact = int((labels == label).sum()) * count / len(labels)
        assert abs(int((labels[drawn] == label).sum()) - exact) < 1


class Numbers:
    """A split of labels alone."""

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def subset(self, indices):
        return Numbers(self.labels[indices])


@pytest.mark.parametrize(("most", "sizes"), [(50, (45, 5)), (1, (1, 0)), (7, (6, 1))])
def test_a_limit_counts_training_and_validation_together(most, sizes):
    train, validation = torch.arange(900) % 3, torch.arange(100) % 3
    spec = DataSpec("numbers", (1,), ("a", "b", "c"))
    data = Data(spec, *(Numbers(x) for x in (train, validation, train)))
    few = limited(data, most, 0)
    assert (len(few.train), len(few.validation)) == sizes
    assert few.test is data.test
    assert limited(data, 1000, 0) is data


def test_a_run_keeps_to_the_limit_and_says_so(tmp_path):
    changes = {"data.limit": 60, "estimator.samples": 100, "finetune.epochs": 1}
    recipe = with_changes(Recipe(), {**changes, "machine.threads": 1})
    seen = []
    engine.run(recipe, tmp_path / "run", seen.append)
    loaded = next(e for e in seen if isinstance(e, DataLoaded))
    assert (loaded.train, loaded.validation) == (54, 6) and loaded.test > 300
    said = [e.message for e in seen if isinstance(e, Noticed)]
    assert any("54 of" in text and "data.limit" in text for text in said)
