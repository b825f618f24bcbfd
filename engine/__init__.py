"""Secateur's engine, and its door: inspect, plan, run, resume, export, replay."""

from engine.export import ExportReport, export
from engine.exporters import EXPORTERS
from engine.inspect import inspect
from engine.monitor import Control
from engine.plan import Plan, plan
from engine.run import resume, run
from engine.store import recipe_of, replay

__all__ = [
    "EXPORTERS",
    "Control",
    "ExportReport",
    "Plan",
    "export",
    "inspect",
    "plan",
    "recipe_of",
    "replay",
    "resume",
    "run",
]
