"""All or nothing: a change to a network that is taken back when it breaks off."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def undone_on_failure(model: nn.Module) -> Iterator[None]:
    """Weights and statistics are as before if the block raises, a stop included."""
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    try:
        yield
    except BaseException:
        model.load_state_dict(kept)
        raise
