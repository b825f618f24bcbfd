"""Secateur's engine, and its door: plan, run, resume, compare, export and others."""

import sys

from engine.starting import starting

# Importing torch takes seconds. Python calls a program "-m" until its package is there.
with starting(program=sys.argv[:1] == ["-m"]):
    from engine.branch import branch
    from engine.comparing.compare import compare
    from engine.comparing.ledger import comparison_of
    from engine.export import ExportReport, export
    from engine.exporters import EXPORTERS
    from engine.inspect import inspect
    from engine.known import Known
    from engine.looking.compare_classes import compare_classes
    from engine.looking.damping import DampingStudy
    from engine.looking.dispute import Duel
    from engine.looking.duel import duel
    from engine.looking.fit import fit_profile
    from engine.looking.fit_layer import LayerFit, fit_layer
    from engine.looking.latency import measure_latency
    from engine.looking.layer_times import measure_times
    from engine.looking.networks import Network, run_network, scored_network
    from engine.looking.prober import Probed, Prober
    from engine.looking.score import score
    from engine.looking.sensitivity import measure_sensitivity
    from engine.looking.study_damping import study_damping
    from engine.monitor import Control
    from engine.planning.plan import Plan, plan
    from engine.records.contents import recipe_of, replay
    from engine.records.digest import Digest, digest
    from engine.records.follow import Follower
    from engine.records.notes import write_notes
    from engine.run import resume, run
    from engine.steering.study import Study

__all__ = [
    "EXPORTERS",
    "Control",
    "DampingStudy",
    "Digest",
    "Duel",
    "ExportReport",
    "Follower",
    "Known",
    "LayerFit",
    "Network",
    "Plan",
    "Probed",
    "Prober",
    "Study",
    "branch",
    "compare",
    "compare_classes",
    "comparison_of",
    "digest",
    "duel",
    "export",
    "fit_layer",
    "fit_profile",
    "inspect",
    "measure_latency",
    "measure_sensitivity",
    "measure_times",
    "plan",
    "recipe_of",
    "replay",
    "resume",
    "run",
    "run_network",
    "score",
    "scored_network",
    "study_damping",
    "write_notes",
]
