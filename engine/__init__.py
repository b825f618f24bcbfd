"""Secateur's engine, and its door: plan, run, resume, compare, export and others."""

import sys

from engine.starting import starting

# Importing torch takes seconds. Python calls a program "-m" until its package is there.
with starting(program=sys.argv[:1] == ["-m"]):
    from engine.compare import compare
    from engine.export import ExportReport, export
    from engine.exporters import EXPORTERS
    from engine.follow import Follower
    from engine.inspect import inspect
    from engine.ledger import comparison_of
    from engine.monitor import Control
    from engine.plan import Plan, plan
    from engine.prober import Probed, Prober
    from engine.run import resume, run
    from engine.score import score
    from engine.store import recipe_of, replay
    from engine.study import Study

__all__ = [
    "EXPORTERS",
    "Control",
    "ExportReport",
    "Follower",
    "Plan",
    "Probed",
    "Prober",
    "Study",
    "compare",
    "comparison_of",
    "export",
    "inspect",
    "plan",
    "recipe_of",
    "replay",
    "resume",
    "run",
    "score",
]
