"""A plan in words, for the terminal and the window."""

from engine.planning.plan import Plan
from engine.words import units

ORDER = ("load", "gradients", "curvature", "selection", "repair", "finetune")


def described(plan: Plan) -> list[tuple[str, str]]:
    """The plan as titles and words."""
    worst = max(plan.phase_bytes, key=lambda phase: plan.phase_bytes[phase])
    rows = [
        ("Device", plan.device),
        (
            "Memory",
            f"{units.memory(plan.peak_bytes)} at most, in the phase {worst}; "
            f"{units.memory(plan.limit_bytes)} may be used",
        ),
    ]
    if not plan.device.startswith("cpu"):
        rows.append(("Host memory", units.memory(plan.host_bytes)))
    rows += [
        ("Disk", units.memory(plan.disk_bytes) if plan.disk_bytes else "Nothing"),
        ("Timeline", _timeline(plan)),
        ("Prunes", _prunes(plan)),
    ]
    if plan.block_size is not None:
        block = units.many(plan.block_size, "weight")
        rows += [
            ("Block size", block if plan.block_size else "Whole layers"),
            ("Gradients", _gradients(plan)),
        ]
    spent = {name: s for name, s in plan.seconds.items() if s >= 1}
    parts = ", ".join(f"{name} {units.clock(s)}" for name, s in spent.items())
    total = f"about {units.clock(sum(plan.seconds.values()))}"
    rows.append(("Time", f"{total} ({parts})" if parts else total))
    return rows


def _timeline(plan: Plan) -> str:
    if not plan.timeline_bytes:
        return "Nothing is kept to look back at"
    return f"about {units.memory(max(plan.timeline_bytes, 2**20))} in the run folder"


def _prunes(plan: Plan) -> str:
    target = units.percent(plan.targets[-1]) if plan.targets else "nothing"
    many = f"{units.count(plan.prunable)} " if plan.of == "weights" else "the "
    return f"{plan.steps} to {target} of {many}{plan.of}"


def _gradients(plan: Plan) -> str:
    place = "on the disk" if plan.paged else "in memory"
    place += " in half precision" * plan.half_precision
    passed = units.many(plan.calibration_images, "image is", "images are")
    reads = f", read {units.many(plan.passes['disk'], 'time')}" if plan.paged else ""
    return (
        f"{passed} passed through; {units.memory(plan.gradient_bytes)} {place}{reads}"
    )


def phases(plan: Plan) -> list[tuple[str, str, str]]:
    """Phase, memory and time of each phase that is predicted, in the order of a run."""
    known = {*plan.phase_bytes, *plan.seconds}
    names = [name for name in ORDER if name in known]
    names += sorted(known - {*ORDER})
    return [
        (
            name,
            units.memory(plan.phase_bytes[name]) if name in plan.phase_bytes else "",
            units.clock(plan.seconds[name]) if name in plan.seconds else "",
        )
        for name in names
    ]
