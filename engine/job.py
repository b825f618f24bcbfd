"""Job: the mutable state of one run, and the steps its story is told in."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from engine import machine, masks
from engine.adaptive import Adaptive
from engine.checks import Promises, tell_broken
from engine.comparing.known import Known
from engine.errors import InputError, RunError
from engine.evaluate import Measure, evaluate, fingerprint
from engine.events import Evaluated
from engine.finetune import Finetuner
from engine.fitness import warn_if_unfit
from engine.layers import parameter_count, uses
from engine.levels import levels
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
        levels: The prunes of the schedule.
        level, step: The prune and sub-step that come next.
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
            bootstrap=recipe.checks.bootstrap,
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
        self.levels = self._plan_levels()
        self.level = self.step = self.measured = 0
        self.cut = self.repaired = False
        self.thresholds: dict[str, float | None] = {}
        self.predictions: list[dict[str, Any]] = []
        self.results: dict[str, Measure] = {}
        self._tested: Measure | None = None  # on test, while the network is unchanged

    @property
    def pruned(self) -> bool:
        """Whether all prunes are done."""
        return self.level == len(self.levels)

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
        if self.measured < self.level and len(self.data.validation):
            self.measure("pruned", "validation")
            self.measured = self.level

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
        self.cut, self.step = False, self.step + 1
        if self.step == len(self.levels[self.level].steps):
            self.level, self.step = self.level + 1, 0

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
        self.finetuner.run_epoch(self.masks, recovering=self.pruned)

    def finish(self) -> None:
        """Take the best epoch and check that every removed weight is still zero."""
        best = self.finetuner.restore_best()
        if best is not None and best != self.finetuner.epoch:
            self._tested = None
            self.monitor.notice(
                f"Kept epoch {best}, the best on the validation split.", level="info"
            )
        for name, weight in self.problem.weights().items():
            if bool(weight[~self.masks[name]].any()):
                raise RunError(
                    f"Removed weights of {name} came back.",
                    "This is a bug; please report it with the run folder.",
                )

    def state_dict(self) -> dict[str, Any]:
        """Everything `resume` needs, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "masks": self.masks,
            "finetuner": self.finetuner.state_dict(),
            "levels": [dataclasses.astuple(level) for level in self.levels],
            "halved": self.adaptive.halved,
            "level": self.level,
            "step": self.step,
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
        block = state.get("block_size", self.budget.block_size)
        if block != self.budget.block_size:
            self.budget = self._settle(with_block(self.recipe, block))
        self.model.load_state_dict(state["model"])
        self.masks = {k: v.to(self.device) for k, v in state["masks"].items()}
        self.problem = self.problem.knowing(state.get("learned", {}))
        self.finetuner.load_state_dict(state["finetuner"])
        if "levels" in state:
            self.levels = tuple(Level(*level) for level in state["levels"])
            self.adaptive.halved = state["halved"]
        self.level, self.step = state["level"], state["step"]
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

    def _plan_levels(self) -> tuple[Level, ...]:
        found, notes = levels(self.recipe, self.masks, self.uses)
        for note in notes:
            self.monitor.notice(note, level="info")
        return found

    def _cut(self) -> bool:
        """Whether the step stands; else the level has two in its place."""
        self.promises.look()
        at, level = self.level, self.levels[self.level]
        start = self.recipe.allocation.progress(self.masks, self.uses)
        number, weights = self._steps_done() + 1, self.problem.weights()
        asked = (weights, level, self.step, number, start)
        done = self.adaptive.attempt(self._take, *asked)
        if isinstance(done, Level):
            self.levels = (*self.levels[:at], done, *self.levels[at + 1 :])
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
        settled, number, monitor = self.settled, self._steps_done(), self.monitor
        level = self.levels[self.level].steps[self.step]
        return thrifty(
            self.problem, self.recipe.estimator, self._folder, monitor,
            lambda given: prune_once(
                given, self.masks, settled, level, number, self.uses, monitor
            ),
        )  # fmt: skip

    def _steps_done(self) -> int:
        return sum(len(level.steps) for level in self.levels[: self.level]) + self.step

    def _tell(self, cut: Cut) -> None:
        number, steps = self._steps_done() + 1, sum(len(x.steps) for x in self.levels)
        count = parameter_count(self.model)
        self.monitor.emit(cut.told(number, steps, self.finetuner.position, count))
        self.predictions.append(cut.promise(number))  # a stop may come now
        self.predictions[-1] |= self.promises.check(number, cut)
        tell_broken(self.predictions, self.monitor)

    def _changed(self) -> None:
        """What was measured of the network does not hold any more."""
        self._tested = None
        self.promises.forget()
