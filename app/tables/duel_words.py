"""A duel in words: what is disputed, and what the probe says of it."""

from app.tables.units import SURE, exact, percent, rough
from engine import Duel


def agreement(duel: Duel) -> str:
    """What both methods remove, and what they dispute."""
    if not duel.disputed:
        return f"Both methods remove the same {exact(duel.both)} weights."
    return (
        f"{exact(duel.both)} weights go by both methods, {exact(duel.disputed)} are "
        f"disputed: overlap {percent(duel.overlap)}, ranks "
        f"{duel.ranks:.4f}."
    )


def verdict(duel: Duel) -> str:
    """What the probe of the disputed weights says."""
    probe = duel.probe
    if not duel.disputed:
        return ""
    where = f"on {probe.images} {probe.split} images, by masks alone"
    error = probe.error or 0.0
    if abs(probe.change) <= SURE * error:
        return f"Which choice is better cannot be told {where}."
    better, worse = duel.first, duel.rival
    if probe.change > 0:
        better, worse = worse, better
    less = f"{rough(abs(probe.change))} \N{PLUS-MINUS SIGN} {rough(error)}"
    return f"{better}'s choice costs {less} less loss than {worse}'s {where}."
