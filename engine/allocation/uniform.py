"""The same sparsity in every layer: the independent setting of the papers."""

from typing import Literal

from pydantic import ConfigDict

from engine.allocation.base import Allocation, Candidates, Chosen, Counts
from engine.allocation.units import lowest
from engine.masks import Masks

HALVINGS = 60  # bisection steps, enough for float64


class Uniform(Allocation):
    """Every layer reaches the sparsity by itself."""

    model_config = ConfigDict(title="Uniform")
    kind: Literal["uniform"] = "uniform"

    def _pick(
        self,
        spare: Candidates,
        units: Candidates,
        masks: Masks,
        begun: Counts,
        count: int,
    ) -> tuple[Chosen, tuple[str, ...]]:
        sizes, low = {name: mask.numel() for name, mask in masks.items()}, begun
        high = {name: low[name] + int(spare[name].sizes.sum()) for name in masks}
        quotas = spread(sizes, low, high, sum(low.values()) + count)
        gone = {
            name: lowest(each, quotas[name] - low[name]) for name, each in spare.items()
        }
        even = sum(quotas.values()) / max(sum(sizes.values()), 1)
        ahead = [n for n in masks if low[n] == quotas[n] > even * sizes[n] + 1]
        if not ahead:
            return gone, ()
        return gone, (
            f"{', '.join(ahead)} had more zeros than the target already"
            f"{', or by a floor' * bool(self.floor)}; the other layers were cut less "
            "to keep the total.",
        )


def spread(
    sizes: dict[str, int], low: dict[str, int], high: dict[str, int], total: int
) -> dict[str, int]:
    """Zeros per layer: one fraction of each size within its bounds, `total` in all.

    Fractions of a weight are settled by largest remainder, ties by layer order.
    """

    def shares(fraction: float) -> dict[str, float]:
        return {n: min(max(fraction * sizes[n], low[n]), high[n]) for n in sizes}

    below, above = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        if sum(shares(middle).values()) < total:
            below = middle
        else:
            above = middle
    exact = shares(above)
    whole = {name: int(share + 1e-9) for name, share in exact.items()}
    left = total - sum(whole.values())
    order = sorted(sizes, key=lambda name: whole[name] - exact[name])
    for name in [n for n in order if whole[n] < high[n]][:left]:
        whole[name] += 1
    return whole
