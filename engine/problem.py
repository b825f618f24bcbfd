"""Problem: a network, its loss and its calibration images, as estimators see them."""
from dataclasses import dataclass
@dataclass(frozen=True)
class Problem:
    """X."""
