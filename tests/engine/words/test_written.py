"""Values as people write them on the command line and in a form."""

import pytest

from engine.part import settings
from engine.recipe import Recipe, setting_of
from engine.words import written


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("allocation.floor", "fc=0.5, layer3=0.9", {"fc": 0.5, "layer3": 0.9}),
        ("allocation.floor", '{"fc": 0.5}', {"fc": 0.5}),
        ("allocation.floor", "", {}),
        ("allocation.floor", "fc", {"fc": "fc"}),
        ("allocation.floor", "fc=0.5, fc=0.9", {"fc": "0.5 and 0.9"}),
        ("allocation.floor", "=0.5", {"=0.5": "=0.5"}),
        ("allocation.exclude", "fc, conv1", ["fc", "conv1"]),
        ("allocation.exclude", '["fc"]', ["fc"]),
        ("allocation.exclude", "", []),
        ("data.mean", "0.5", [0.5]),
        ("data.mean", "0.5, x, nan", [0.5, "x", "nan"]),
        ("estimator.samples", "500", 500),
        ("finetune.optimizer", "sgd", "sgd"),
        ("repair.weighted", "true", True),
        ("model.checkpoint", "2024", "2024"),
        ("model.checkpoint", '"a.pth"', "a.pth"),
    ],
)
def test_a_text_means_what_its_setting_needs(key, text, value):
    assert written.read(text, setting_of(*key.split("."))) == value


def test_names_with_commas_come_back_whole():
    for key, value in (
        ("allocation.exclude", ["a[1,2]", "fc"]),
        ("allocation.floor", {"a[1,2]": 0.5}),
    ):
        assert written.read(written.write(value), setting_of(*key.split("."))) == value


def test_kinds_of_a_group_agree_on_the_type_of_a_name():
    types = {}
    for group in settings(Recipe):
        for part in group.choices:
            for each in settings(part):
                seen = types.setdefault((group.name, each.name), each)
                assert (seen.type, seen.item) == (each.type, each.item)


def test_what_is_written_can_be_read_again():
    for group in settings(Recipe):
        for part in group.choices:
            for each in settings(part):
                value = written.read(written.write(each.default), each)
                wanted = each.default
                assert value == (list(wanted) if each.type == "list" else wanted), each
