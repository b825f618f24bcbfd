"""The allocations, a table."""

from engine.allocation.global_threshold import GlobalThreshold
from engine.allocation.macs_budget import MacsBudget
from engine.allocation.uniform import Uniform

ALLOCATIONS = (GlobalThreshold, Uniform, MacsBudget)
