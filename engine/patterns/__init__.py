"""The patterns, a table."""

from engine.patterns.groups import Groups
from engine.patterns.n_m import NM
from engine.patterns.unstructured import Unstructured

PATTERNS = (Unstructured, Groups, NM)
