"""Commands: what each word of the command line does; every one gives its exit code."""

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Callable
from functools import partial

import engine
from engine.comparing.comparison import load_comparison
from engine.errors import InputError, RunError
from engine.events import Event, RunStopped
from engine.records.timeline import nodes_of
from engine.starting import STOPPED
from engine.words.arguments import read_recipe, trusted
from engine.words.cells import CellsConsole
from engine.words.console import Console, layer_table, node_table, plan_report
from engine.words.manual import manual


def run(options: argparse.Namespace) -> int:
    """Prune as a recipe says."""
    recipe = read_recipe(options.recipe, options.set)
    last = _follow(
        options,
        lambda **how: engine.run(recipe, options.out, ranks=options.ranks, **how),
    )
    return _code(last)


def resume(options: argparse.Namespace) -> int:
    """Go on with a stopped run."""
    last = _follow(
        options,
        lambda **how: engine.resume(options.folder, ranks=options.ranks, **how),
    )
    return _code(last)


def compare(options: argparse.Namespace) -> int:
    """Fill a comparison."""
    if options.ranks.size > 1:
        raise InputError(
            "A comparison runs in a single process.", "Start it without torchrun."
        )
    spec = load_comparison(options.spec)
    last = _follow(
        options, lambda **how: engine.compare(spec, options.out, **how), CellsConsole
    )
    if last.stopped:
        return STOPPED
    if last.failed:
        raise RunError(
            f"{last.failed} of {last.total} cells failed.",
            "compare.csv says why; the same command tries them again.",
        )
    return 0


def _follow(
    options: argparse.Namespace,
    go: Callable[..., Event],
    speaker: type[Console] = Console,
) -> Event:
    """Run with Ctrl-C (or a polite kill) as the stop button; say what happens."""
    control = engine.Control()
    buttons = (signal.SIGINT, signal.SIGTERM)
    with speaker(options.jsonl) as console:
        before = [signal.signal(each, lambda *_: control.stop()) for each in buttons]
        try:
            return go(emit=console.say, control=control, trust=trusted(options.trust))
        finally:
            for each, handler in zip(buttons, before, strict=True):
                signal.signal(each, handler)


def _code(last: Event) -> int:
    return STOPPED if isinstance(last, RunStopped) else 0


def branch(options: argparse.Namespace) -> int:
    """Go on from a node of a run."""
    engine.recipe_of(options.folder)  # which says if this is no run folder
    recipe = read_recipe(options.recipe or options.folder, options.set)
    go = partial(engine.branch, options.folder, options.node, options.out, recipe)
    last = _follow(options, lambda **how: go(ranks=options.ranks, **how))
    return _code(last)


def nodes(options: argparse.Namespace) -> int:
    """List the moments that a run has kept."""
    engine.recipe_of(options.folder)  # which says if this is no run folder
    kept = nodes_of(options.folder)
    if options.json:
        print(json.dumps([dataclasses.asdict(node) for node in kept], indent=2))
    else:
        Console(jsonl=False).terminal.print(node_table(kept))
    return 0


def inspect(options: argparse.Namespace) -> int:
    """List the network's layers."""
    with Console(options.jsonl) as console:
        engine.inspect(
            read_recipe(options.recipe, options.set),
            layer_table(console),
            trust=trusted(options.trust),
        )
    return 0


def plan(options: argparse.Namespace) -> int:
    """Tell what a recipe will cost."""
    planned = engine.plan(
        read_recipe(options.recipe, options.set), trusted(options.trust)
    )
    if options.json:
        print(json.dumps(dataclasses.asdict(planned), indent=2))
    else:
        Console(jsonl=False).terminal.print(plan_report(planned))
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the pruned network and check the file."""
    report = engine.export(
        options.folder, options.to, options.out, trusted(options.trust), options.force
    )
    if report.moment:
        print(report.moment, file=sys.stderr)
    print(json.dumps(dataclasses.asdict(report), indent=2))
    return 0


def settings(options: argparse.Namespace) -> int:
    """List every setting of a recipe."""
    print(manual(), end="")
    return 0
