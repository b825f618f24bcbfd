"""The command line: run, resume, branch, compare, inspect, plan, export and others."""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from engine.starting import STOPPED, starting

with starting(program=__name__ == "__main__"):
    import engine
    from engine import commands
    from engine.comparing.comparison import EXAMPLE
    from engine.errors import EngineError
    from engine.sharing.joining import join, leads

COMPARISON = f"""\
SPEC.json says what all share, how each method changes that, and the axes:

{EXAMPLE}
"recipe", "seeds" and "keep" (the pruned networks, false) may be left out. The folder
gets compare.csv, compare.json and compare.svg; giving the command again goes on, also
with more methods, sparsities and seeds.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 done, 1 the run failed, 2 bad recipe or arguments, 130 stopped.
    """
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    if isinstance(sys.stdout, io.TextIOWrapper):  # not every terminal has every sign
        sys.stdout.reconfigure(errors="replace")
    with _hushed():
        try:
            with join() as team:
                options = _parser().parse_args(words)
                options.ranks = team
                return options.command(options)
        except EngineError as error:
            _explain(error, debug)
            return error.exit_code
        except KeyboardInterrupt:  # a run has its own way to be stopped
            print("Stopped.", file=sys.stderr)
            return STOPPED
        except Exception as error:  # a defect, or a network's own code
            if debug:
                traceback.print_exc()
            print(
                f"Something went wrong: {type(error).__name__}: {error}\n"
                "Run the command again with --debug and report what it prints.",
                file=sys.stderr,
            )
            return 1


@contextmanager
def _hushed() -> Iterator[None]:
    """Of several processes only the first speaks."""
    if leads():
        yield
        return
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        yield


def _explain(error: EngineError, debug: bool) -> None:
    """What happened, what to do, then the details."""
    if debug:
        traceback.print_exc()
    print(f"{error.message}\n{error.hint}", file=sys.stderr)
    lines = (line.removeprefix(": ") for line in error.details)
    details = [line for line in lines if line not in error.message]
    for line in details if debug else details[:20]:
        print(f"  {line}", file=sys.stderr)
    if len(details) > 20 and not debug:
        rest = len(details) - 20
        print(f"  and {rest} more; --debug shows all", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show tracebacks")
    shared.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file that may be executed (repeatable)",
    )
    spoken = argparse.ArgumentParser(add_help=False)
    spoken.add_argument(
        "--jsonl", action="store_true", help="print every event as one JSON line"
    )
    settable = argparse.ArgumentParser(add_help=False)
    settable.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting, such as estimator.samples=500 (repeatable)",
    )
    cooked = argparse.ArgumentParser(add_help=False, parents=[settable])
    cooked.add_argument("recipe", metavar="RECIPE.json")
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description="Prune trained networks with second-order information.",
    )
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable, help: str, *parents
    ) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=help, parents=[shared, *parents])
        added.set_defaults(command=command)
        return added

    run = add("run", commands.run, "prune as a recipe says", spoken, cooked)
    run.add_argument("--out", required=True, metavar="FOLDER", help="the run folder")
    resume = add("resume", commands.resume, "go on with a stopped run", spoken)
    resume.add_argument("folder", metavar="FOLDER")
    nodes = add("nodes", commands.nodes, "list the moments that a run has kept")
    nodes.add_argument("folder", metavar="FOLDER")
    nodes.add_argument("--json", action="store_true", help="print them as JSON")
    branch = add("branch", commands.branch, "go on from one of them", spoken, settable)
    branch.add_argument("folder", metavar="FOLDER")
    branch.add_argument(
        *("--node", "--at"),  # torchrun takes the first for an option of its own
        required=True,
        type=int,
        metavar="N",
        help="its number in `nodes`; under torchrun write --at",
    )
    branch.add_argument("--out", required=True, metavar="FOLDER", help="the new run's")
    branch.add_argument(
        "--recipe", metavar="RECIPE.json", help="in place of the run's own"
    )
    compare = add("compare", commands.compare, "methods x sparsities x seeds", spoken)
    compare.formatter_class = argparse.RawDescriptionHelpFormatter
    compare.epilog = COMPARISON
    compare.add_argument("spec", metavar="SPEC.json")
    compare.add_argument(
        "--out", required=True, metavar="FOLDER", help="new, or to go on in"
    )
    add("inspect", commands.inspect, "list the network's layers", spoken, cooked)
    plan = add("plan", commands.plan, "what a recipe will cost", cooked)
    plan.add_argument("--json", action="store_true", help="print it as JSON")
    export = add(
        "export", commands.export, "write the pruned network and check the file"
    )
    export.add_argument("folder", metavar="FOLDER")
    export.add_argument("--to", required=True, metavar="FORMAT", help=_formats())
    export.add_argument("--out", required=True, metavar="FILE")
    export.add_argument(
        "--force", action="store_true", help="replace FILE where it exists"
    )
    add("settings", commands.settings, "list every setting of a recipe")
    return parser


def _formats() -> str:
    return " or ".join(exporter.kind for exporter in engine.EXPORTERS)


if __name__ == "__main__":
    sys.exit(main())
