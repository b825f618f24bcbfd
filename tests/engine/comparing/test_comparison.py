"""Comparison files: what is refused, in words, and what a cell runs."""

import json
import textwrap
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.comparing.cells import Cell
from engine.comparing.comparison import (
    EXAMPLE,
    dump_comparison,
    load_comparison,
    parse_comparison,
    place,
)
from engine.errors import InputError

GOOD = {
    "recipe": {"finetune": {"epochs": 0}},
    "methods": {"WoodFisher": {}, "Plain |w|": {"estimator.kind": "magnitude"}},
    "sparsities": [0.5, 0.9],
    "seeds": [0, 7],
}


def test_a_cell_is_its_method_sparsity_and_seed():
    spec = parse_comparison(GOOD)
    cells = list(spec.cells())
    assert len(cells) == 8
    assert [c.seed for c in cells] == [0] * 4 + [7] * 4  # a whole picture first
    recipe = spec.recipe_of(Cell("Plain |w|", 0.9, 7))
    assert recipe.estimator.kind == "magnitude"
    assert recipe.allocation.sparsity == 0.9 and recipe.machine.seed == 7
    assert recipe.finetune.epochs == 0
    assert spec.recipe_of(cells[0]).estimator.kind == "woodfisher"
    assert len({place(cell) for cell in cells}) == 8
    assert place(Cell("Plain |w|", 0.9, 7)) == "plain-w-0.9-7"


def test_a_file_comes_back_as_it_was_written(tmp_path):
    spec = parse_comparison(GOOD)
    (tmp_path / "spec.json").write_text(dump_comparison(spec))
    assert load_comparison(tmp_path / "spec.json") == spec


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"methods": {}}, "methods is empty"),
        ({"methods": {"a": {"estimator.sample": 3}}}, "a at 0.5, seed 0: .*sample"),
        ({"methods": {"a": {"samples": 3}}}, "no setting 'samples'"),
        ({"methods": {"a": {"estimator.kind": "magic"}}}, "no kind 'magic'"),
        ({"methods": {"a": {"machine.seed": 3}}}, "machine.seed, which is an axis"),
        ({"methods": {"a b": {}, "A-b": {}}}, "distinct letters"),
        ({"methods": {"/": {}}}, "distinct letters"),
        ({"methods": ["a"]}, "methods: "),
        ({"sparsities": []}, "sparsities is empty"),
        ({"sparsities": [0.5, 0.5]}, "sparsities names one twice"),
        ({"sparsities": [1.0]}, "at 1, seed 0: .*less than 1"),
        ({"seeds": [-1]}, "seed -1: .*greater than or equal to 0"),
        ({"seeds": []}, "seeds is empty"),
        ({"seed": [1]}, "seed: there is no such setting"),
        ({"seeds": list(range(3000))}, "more than 10,000 cells"),
        ({"recipe": {"estimator": {"samples": 0}}}, "estimator.samples: .*than or"),
        ({"recipe": 3}, "recipe is not valid"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, words):
    with pytest.raises(InputError, match=words):
        parse_comparison({**GOOD, **change})


def test_missing_keys_come_with_an_example():
    with pytest.raises(InputError, match="methods: Field required") as error:
        parse_comparison({})
    example = error.value.hint.partition("such as ")[2].rstrip(".")
    assert parse_comparison({**GOOD, **json.loads(f"{{{example}}}")})


@pytest.mark.parametrize("content", [[], 3, None, "text"])
def test_other_content_is_refused(content):
    with pytest.raises(InputError, match="comparison is not valid"):
        parse_comparison(content)


def test_the_example_of_the_help_and_the_readme_is_a_comparison(capsys):
    spec = parse_comparison(json.loads(EXAMPLE))
    assert len(list(spec.cells())) == 27
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    assert EXAMPLE in capsys.readouterr().out
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    assert textwrap.indent(EXAMPLE, "    ") in readme
