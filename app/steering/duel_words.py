"""A duel in words: what is disputed, and what the probe says of it."""

from app.tables.units import accuracy, exact, number, percent, rough
from engine import Duel

SURE = 2  # standard errors beyond which a difference is taken for one


def agreement(duel: Duel) -> str:
    """What both methods remove, and what they dispute."""
    if not duel.disputed:
        same = f"the same {exact(duel.both)} weights"
        return f"{duel.first} and {duel.rival} remove {same}."
    return (
        f"{duel.first} and {duel.rival} remove {exact(duel.both)} of the same weights "
        f"and dispute {exact(duel.disputed)} (overlap {percent(duel.overlap)}, ranks "
        f"{number(round(duel.ranks, 4))})."
    )


def verdict(duel: Duel) -> str:
    """What the probe of the disputed weights says."""
    probe = duel.probe
    told = (
        f"On {probe.images} {probe.split} images, masks alone, without the agreed "
        f"weights: {accuracy(probe.agreed.accuracy)}"
    )
    if not duel.disputed:
        return f"{told} (dense {accuracy(probe.dense.accuracy)})."
    told += (
        f"; without {duel.first}'s besides {accuracy(probe.first.accuracy)}, without "
        f"{duel.rival}'s {accuracy(probe.rival.accuracy)} "
        f"(dense {accuracy(probe.dense.accuracy)}). "
    )
    error = probe.error or 0.0
    if abs(probe.change) <= SURE * error:
        return told + "Their losses are too near to each other to tell which is better."
    better, worse = duel.first, duel.rival
    if probe.change > 0:
        better, worse = worse, better
    return told + (
        f"{better}'s dispute costs {rough(abs(probe.change))} "
        f"\N{PLUS-MINUS SIGN} {rough(error)} less loss than {worse}'s."
    )
