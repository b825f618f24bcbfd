"""Seeds: different labels, different streams."""

import torch

from engine.seeds import generator


def test_every_label_changes_the_stream():
    labels = [
        (0,),
        (1,),
        (0, 0),
        (0, 1),
        (1, 0),
        (0, "a"),
        (0, "b"),
        (2**32,),
        (2**40,),
    ]
    drawn = [torch.rand(8, generator=generator(*each)) for each in labels]
    again = [torch.rand(8, generator=generator(*each)) for each in labels]
    for i, one in enumerate(drawn):
        assert torch.equal(one, again[i])
        assert not any(torch.equal(one, other) for other in drawn[:i])
