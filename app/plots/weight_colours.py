"""Weight colours: cells of a layer as pixels, hollow or lighter where they would go."""

from typing import Literal

import numpy as np
from PySide6.QtGui import QColor

from app.palette import Palette
from app.plots.weight_grid import Cells

Look = Literal["weights", "mask"]
LIGHTER = 0.65  # how far what would go fades
FINE, COARSE = 11, 5  # pixels of a cell that is drawn hollow, one of them its edge
FINE_UNTIL = 2_000  # cells
HOLLOW_UNTIL = 12_000  # cells, above which they are too small for an inside


def pixels(cells: Cells, look: Look, full: float, colours: Palette) -> np.ndarray:
    """RGBA uint8 (rows, columns, 4), each cell once or, with few, several times.

    Args:
        cells: What to draw.
        look: Sizes and signs, or only what stays.
        full: Size of a weight that has the full colour.
        colours: Of the window.
    """
    missing = np.isnan(cells.values)
    background, gone = _rgb(colours.background), _rgb(colours.grid)
    if look == "mask":
        plain = np.broadcast_to(_rgb(colours.live), (*cells.values.shape, 3))
        leaving, gone = _rgb(colours.removed), _rgb(colours.removed)
        hollow = np.broadcast_to(leaving, plain.shape)
    else:
        plain = hollow = _signed(cells.values, full, colours)
    lighter = hollow + LIGHTER * (background - hollow)
    stays = (1 - cells.gone - cells.going)[..., None]
    going, zero = cells.going[..., None], cells.gone[..., None]
    kept = stays * plain + zero * gone
    few = cells.values.size <= HOLLOW_UNTIL
    if few and not cells.reduced and cells.going.any():
        edge = hollow if look == "mask" else _edges(hollow, background, colours)
        each = FINE if cells.values.size <= FINE_UNTIL else COARSE
        rings = _ring(*cells.values.shape, each)[..., None]
        wide = [_repeated(x, each) for x in (kept, going, edge)]
        found = wide[0] + wide[1] * np.where(rings, wide[2], background)
        missing = _repeated(missing[..., None], each)[..., 0]
    else:
        found = kept + going * lighter
    alpha = np.where(missing, 0.0, 255.0)[..., None]
    return np.concatenate([np.nan_to_num(found), alpha], -1).round().astype(np.uint8)


def _signed(values: np.ndarray, full: float, colours: Palette) -> np.ndarray:
    """From the background at 0 to the colour of its sign at full size."""
    background = _rgb(colours.background)
    ends = np.where(
        (values >= 0)[..., None], _rgb(colours.validation), _rgb(colours.test)
    )
    strength = np.clip(np.abs(np.nan_to_num(values)) / full, 0, 1)[..., None]
    return background + strength * (ends - background)


def _edges(filled: np.ndarray, background: np.ndarray, colours: Palette) -> np.ndarray:
    """Of hollow cells: their colour, but never too faint to be seen."""
    faint = np.abs(filled - background).max(-1, keepdims=True) < 60
    return np.where(faint, (_rgb(colours.muted) + background) / 2, filled)


def _repeated(values: np.ndarray, each: int) -> np.ndarray:
    return values.repeat(each, 0).repeat(each, 1)


def _ring(rows: int, columns: int, each: int) -> np.ndarray:
    """True on the edge of every cell."""
    edge = np.zeros((each, each), dtype=bool)
    edge[[0, -1], :] = edge[:, [0, -1]] = True
    return np.tile(edge, (rows, columns))


def _rgb(colour: str) -> np.ndarray:
    return np.array(QColor(colour).getRgb()[:3], dtype=float)
