"""Job: the mutable state of one run, and the steps its story is told in."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from engine import machine, masks
from engine.adaptive import Adaptive
from engine.amendment import Position
from engine.checks import Promises, tell_broken
from engine.course import Course
from engine.errors import InputError
from engine.evaluate import Measure, evaluate, fingerprint
from engine.events import Evaluated
from engine.finetune import Finetuner
from engine.fitness import warn_if_unfit
from engine.known import Known
from engine.layers import parameter_count, uses
from engine.loading import check_bounds, load_network, loss_for
from engine.monitor import Monitor
from engine.planning import memory
from engine.planning.budget import Budget, decide, with_block
from engine.problem import Problem
from engine.prune import Cut, prune_once
from engine.recipe import Recipe
from engine.repair import Repairs, undone_on_failure
from engine.schedules.base import Level
from engine.settings import When
from engine.sharing.processes import ALONE, Ranks
from engine.thrift import thrifty


class Job:
    """A network on its way from dense to pruned.

    Args:
        recipe: What to do.
        monitor: The run's voice and ear.
        trust: SHA-256 digests of Python files that may be executed.
        folder: Holds gradients that do not fit into memory; None is the system's.
        ranks: The processes that share the work.
        known: What earlier runs found out, and this one adds to.

    Attributes:
        budget: Predicted memory, and what was chosen so that the run fits.
        given: The recipe with all its amendments; `recipe` is what is in force.
        amended: How many of them hold.
        course: The prunes of the schedule, and which comes next.
        cut: Whether that step removed its weights already and only lacks its repair.
        measured: Levels that were measured on validation.
        repaired: Whether the repair at the end is done.
        masks: Kept weights of the prunable layers.
        predictions: Predicted loss increase of every step so far.
        results: `Measure` by stage: dense, pruned, repaired, final.
    """

    def __init__(
        self,
        recipe: Recipe,
        monitor: Monitor,
        trust: frozenset[str],
        folder: Path | None = None,
        ranks: Ranks = ALONE,
        known: Known | None = None,
    ) -> None:
        self.given, self.amended = recipe, 0
        self.recipe, self.monitor, self.ranks = recipe, monitor, ranks
        self._known = known or Known()
        self.device = machine.pick_device(recipe.machine)
        self._folder = folder or Path(tempfile.gettempdir())
        with monitor.phase("load"):
            for mine in ranks.turns():
                with monitor.apart():
                    if mine:
                        self._load(trust)
            ranks.align(self.model)
        names = tuple(i.name for i in self.layers if i.status == "prunable")
        if not names:
            raise InputError(
                "No layer is left to prune.", "Clear some of allocation.exclude."
            )
        self._mend = Repairs(self.model, names, self.data.train, self.loss, recipe)
        self.problem = Problem(
            self.model, names, self.data.train, self.loss, ranks=ranks,
            bootstrap=recipe.bootstrap,
        )  # fmt: skip
        self.budget = self._settle(recipe)
        self.promises = Promises(self.problem, self.data, recipe, monitor, ranks)
        self.adaptive = Adaptive(recipe.schedule, self.promises, monitor, ranks)
        self.finetuner = Finetuner(
            self.model, self.data, self.loss, recipe.finetune, recipe.machine.seed,
            recipe.machine.batch, monitor, ranks,
        )  # fmt: skip
        self.masks = masks.from_zeros(self.problem.weights())
        self.uses = uses(self.layers)
        recipe.allocation.check(self.masks, self.uses)
        self.course = Course(recipe, self.masks, self.uses, monitor)
        self.cut, self.repaired, self.measured = False, False, 0
        self.thresholds: dict[str, float | None] = {}
        self.predictions: list[dict[str, Any]] = []
        self.results: dict[str, Measure] = {}
        self._tested: Measure | None = None  # on test, while the network is unchanged

    @property
    def position(self) -> Position | None:
        """Where the story is between two steps; None inside one."""
        if self.cut or self.finetuner.batch:
            return None
        return self.finetuner.epoch, self.course.done, len(self.adaptive.halved)

    def go_by(self, recipe: Recipe) -> None:
        """Take target, schedule and fine-tuning from another recipe from now on."""
        self.recipe = recipe
        self.settled = with_block(recipe, self.budget.block_size)
        self.finetuner.settings = recipe.finetune

    def measure(self, stage: str, split: str = "test") -> None:
        """Loss and accuracy now, told and (on the test split) kept as a result."""
        measure = self._tested if split == "test" else None
        if measure is None:
            with self.monitor.phase("evaluate"):
                images, batch = getattr(self.data, split), self.recipe.machine.batch
                label = f"Measuring the {stage} network"
                measure = evaluate(
                    self.model, images, self.loss, batch, self.monitor, label,
                    self.ranks,
                )  # fmt: skip
        if split == "test":
            self.results[stage] = self._tested = measure
        at, sparsity = self.finetuner.position, masks.sparsity(self.masks)
        told = Evaluated(stage, split, at, measure.loss, measure.accuracy, sparsity)
        self.monitor.emit(told)

    def measure_level(self) -> None:
        """Measure on validation what the level just finished has left, once."""
        if self.measured < self.course.level and len(self.data.validation):
            self.measure("pruned", "validation")
            self.measured = self.course.level

    def measure_dense(self) -> None:
        """Measure the network as it came; warn when data and network do not fit."""
        recipe = self.recipe
        key = fingerprint(self.model, recipe.data, recipe.machine.device, self.loss)
        self._tested = self._known.measures.get(key)
        self.measure("dense")
        if key in self._known.measures:
            return
        measured = self._known.measures[key] = self.results["dense"]
        how = recipe.machine
        with self.monitor.phase("evaluate"):
            warn_if_unfit(self.model, self.data, self.loss, measured, how, self.monitor)

    def prune_step(self) -> None:
        """Take the next step, or find that it takes two; a level ends with its last."""
        if not self.cut and not self._cut():  # a stop may come between cut and repair
            return
        if self.recipe.repair.due("every_step"):
            self.repair("every_step")
        self.cut = False
        self.course.advance()

    def repair(self, when: When) -> None:
        """Refit layers, then re-estimate batch norm, as far as either is due `when`."""
        self._changed()
        with self.monitor.phase("repair"), undone_on_failure(self.model):
            self._mend(when, self.masks, self.monitor)
            self.ranks.align(self.model)
        self.repaired = when == "end"

    def train_epoch(self) -> None:
        """Fine-tune one epoch; after the last prune it may become the best."""
        self._changed()
        self.finetuner.run_epoch(self.masks, recovering=self.course.over)

    def finish(self) -> None:
        """Take the best epoch and check that every removed weight is still zero."""
        best = self.finetuner.restore_best()
        if best is not None and best != self.finetuner.epoch:
            self._tested = None
            self.monitor.notice(
                f"Kept epoch {best}, the best on the validation split.", level="info"
            )
        masks.ensure_held(self.masks, self.problem.weights())

    def state_dict(self) -> dict[str, Any]:
        """Everything `resume` needs, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "masks": self.masks,
            "finetuner": self.finetuner.state_dict(),
            "amended": self.amended,
            **self.course.state_dict(),
            "halved": self.adaptive.halved,
            "cut": self.cut,
            "measured": self.measured,
            "repaired": self.repaired,
            "thresholds": self.thresholds,
            "predictions": self.predictions,
            "learned": self.problem.learned,
            "results": {k: dataclasses.asdict(m) for k, m in self.results.items()},
            "timings": dict(self.monitor.timings),
            "notices": list(self.monitor.notices),
            "block_size": self.budget.block_size,
            "elapsed": self.monitor.now(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, with the blocks it was begun with."""
        self.amended = state.get("amended", 0)
        self.go_by(self.given.amended(self.amended))
        block = state.get("block_size", self.budget.block_size)
        if block != self.budget.block_size:
            self.budget = self._settle(with_block(self.recipe, block))
        self.model.load_state_dict(state["model"])
        self.masks = {k: v.to(self.device) for k, v in state["masks"].items()}
        self.problem = self.problem.knowing(state.get("learned", {}))
        self.finetuner.load_state_dict(state["finetuner"])
        self.course.load_state_dict(state)
        self.adaptive.halved = state.get("halved", [])
        self.cut, self.repaired = state["cut"], state["repaired"]
        self.measured, self.thresholds = state["measured"], state["thresholds"]
        self.predictions = state["predictions"]
        self.results = {k: Measure(**m) for k, m in state["results"].items()}
        self.monitor.timings = dict(state["timings"])
        self.monitor.notices = list(state["notices"])

    def _load(self, trust: frozenset[str]) -> None:
        recipe, monitor = self.recipe, self.monitor
        self.model, self.layers = load_network(recipe, monitor, trust)
        check_bounds(recipe, self.layers)
        self.data = self._known.data(recipe, self.device, monitor)
        self.model.to(self.device)
        self.loss = loss_for(self.model, recipe, self.data, monitor)

    def _settle(self, recipe: Recipe) -> Budget:
        """Choose block size and the gradients' place by the first process's memory."""
        names = self.problem.names
        size = memory.extent(self.model, names, self.data)
        watched = self.monitor.watch is not None
        where = (self.device, self._folder, self.ranks.size, watched)
        budget = self.ranks.told(
            lambda: decide(recipe, self.model, names, size, *where)
        )
        for reason in budget.reasons:
            self.monitor.notice(reason, level="info")
        self.problem = dataclasses.replace(self.problem, storage=budget.storage)
        self.settled = with_block(recipe, budget.block_size)
        return budget

    def _cut(self) -> bool:
        """Whether the step stands; else the level has two in its place."""
        self.promises.look()
        course, weights = self.course, self.problem.weights()
        start = self.recipe.allocation.progress(self.masks, self.uses)
        asked = (weights, course.next, course.step, course.done + 1, start)
        done = self.adaptive.attempt(self._take, *asked)
        if isinstance(done, Level):
            course.halve(done)
            return False
        cut, problem = done
        self._tested, self.cut = None, True
        self.masks, self.thresholds = cut.masks, cut.thresholds
        self.problem = problem.knowing(cut.learned)
        self.finetuner.forget(cut.removed)
        self._tell(cut)
        return True

    def _take(self) -> tuple[Cut, Problem]:
        """Change the weights as the next step has it, and nothing else."""
        settled, number, monitor = self.settled, self.course.done, self.monitor
        level = self.course.next.steps[self.course.step]
        return thrifty(
            self.problem, self.recipe.estimator, self._folder, monitor,
            lambda given: prune_once(
                given, self.masks, settled, level, number, self.uses, monitor,
                self._known.fits,
            ),
        )  # fmt: skip

    def _tell(self, cut: Cut) -> None:
        number, steps = self.course.done + 1, self.course.steps
        count = parameter_count(self.model)
        self.monitor.emit(cut.told(number, steps, self.finetuner.position, count))
        self.predictions.append(cut.promise(number))  # a stop may come now
        self.predictions[-1] |= self.promises.check(number, cut)
        tell_broken(self.predictions, self.monitor)

    def _changed(self) -> None:
        """What was measured of the network does not hold any more."""
        self._tested = None
        self.promises.forget()
