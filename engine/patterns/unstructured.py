"""Unstructured pruning: every weight is on its own."""

from typing import Literal

from pydantic import ConfigDict

from engine.patterns.base import Pattern


class Unstructured(Pattern):
    """Any weight may go."""

    model_config = ConfigDict(title="Unstructured")
    kind: Literal["unstructured"] = "unstructured"
