"""The patterns, a table."""

from engine.patterns.unstructured import Unstructured

PATTERNS = (Unstructured,)
