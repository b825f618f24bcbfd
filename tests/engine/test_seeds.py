"""Seeds: different labels, different streams."""

import torch

from engine.seeds import generator, of_step


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


def test_no_step_has_the_seed_of_another_run():
    seeds = [of_step(seed, number) for seed in range(20) for number in range(20)]
    assert len(set(seeds)) == len(seeds)
    assert [of_step(seed, 0) for seed in range(20)] == list(range(20))
