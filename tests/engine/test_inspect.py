"""Looking at a network before its data are chosen."""

import hashlib

import pytest

import engine
from engine.errors import InputError
from engine.events import ModelLoaded
from engine.recipe import parse


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("nn.Sequential(nn.Flatten(), nn.Linear(64, 4))", "4 classes"),
        ("nn.Sequential(nn.Flatten(), nn.Linear(100, 10))", "does not accept"),
    ],
)
def test_layers_are_told_also_where_the_data_do_not_fit(tmp_path, body, words):
    path = tmp_path / "net.py"
    path.write_text(f"from torch import nn\n\n\ndef build():\n    return {body}\n")
    trust = frozenset({hashlib.sha256(path.read_bytes()).hexdigest()})
    events = []
    with pytest.raises(InputError, match=words):
        engine.inspect(
            parse({"model": {"kind": "file", "file": str(path)}}), events.append, trust
        )
    (loaded,) = [event for event in events if isinstance(event, ModelLoaded)]
    assert [layer.name for layer in loaded.layers] == ["1.weight"]
