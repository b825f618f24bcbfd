"""Secateur's engine, and its door: inspect, plan, run, resume, export, follow."""

from engine.export import ExportReport, export
from engine.exporters import EXPORTERS
from engine.follow import Follower
from engine.inspect import inspect
from engine.monitor import Control
from engine.plan import Plan, plan
from engine.run import resume, run
from engine.store import recipe_of, replay

__all__ = [
    "EXPORTERS",
    "Control",
    "ExportReport",
    "Follower",
    "Plan",
    "export",
    "inspect",
    "plan",
    "recipe_of",
    "replay",
    "resume",
    "run",
]
