"""The damped block Fishers of all layers, from their gradients."""

import torch
from torch import Tensor

from engine.curvature.fisher import BlockFisher, PagedFisher, finite
from engine.curvature.inverse import Inverse
from engine.errors import RunError
from engine.gradients.collector import Rows
from engine.gradients.pages import Pages
from engine.masks import Masks
from engine.monitor import Monitor


def block_fishers(
    gradients: Rows,
    masks: Masks,
    block_size: int,
    damping: float,
    monitor: Monitor,
    draws: Tensor | None = None,
) -> dict[str, Inverse]:
    """An inverse per layer; takes each layer's rows out of `gradients`.

    Args:
        gradients: (N, numel) per layer.
        masks: True = kept.
        block_size: Weights per block; 0 is the whole layer.
        damping: Added to the diagonal of F.
        monitor: Hears of progress and of every damping that was raised.
        draws: Bootstrap samples, see `BlockFisher`.

    Raises:
        RunError: Gradients are not finite, or a block has no inverse.
    """
    inverses: dict[str, Inverse] = {}
    total = sum(rows.shape[1] for rows in gradients.values())
    progress = monitor.progress("Curvature", total)
    for name in tuple(gradients):
        rows, live = gradients.pop(name), masks[name].reshape(-1)
        try:
            if isinstance(rows, Pages):
                found = PagedFisher(
                    rows, live, block_size, damping, monitor, progress, draws
                )
            else:
                finite(rows)
                found = BlockFisher(
                    rows, live, block_size, damping, monitor, draws=draws
                )
                progress.advance(len(live))
        except FloatingPointError as error:
            raise RunError(
                f"The gradients of {name} are not finite.",
                "Check that the checkpoint, the normalisation and the network's output "
                "kind fit together.",
            ) from error
        except torch.linalg.LinAlgError as error:
            raise RunError(
                f"The curvature of {name} has no usable inverse.", "Raise the damping."
            ) from error
        if found.raised:
            monitor.notice(
                f"Damping was raised to at most {found.largest:.0e} in {found.raised} "
                f"blocks of {name}, where {damping:.0e} left no usable inverse.",
                "Raise the damping to treat all blocks alike.",
            )
        inverses[name] = found
    return inverses
