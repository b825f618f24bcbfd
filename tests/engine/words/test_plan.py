"""A plan in words."""

import dataclasses

import pytest

from engine import Plan
from engine.words.plan import described, phases


@pytest.mark.parametrize(("paged", "words"), [(True, "on the disk"), (False, "memory")])
def test_words_for_a_large_plan(paged, words):
    plan = Plan(
        device="cuda (a GPU)", prunable=25_502_912, targets=(0.9,), of="weights",
        epochs=(0,), steps=1, calibration_images=400, passes={"images": 1, "disk": 3},
        block_size=2000, paged=paged, half_precision=False,
        peak_bytes=2 * 1024**3, limit_bytes=15 * 1024**3,
        host_bytes=1024**3, phase_bytes={"evaluate": 2**20, "curvature": 2 * 1024**3},
        gradient_bytes=38 * 1024**3, disk_bytes=38 * 1024**3 * paged,
        timeline_bytes=120 * 1024**2 * paged,
        seconds={"gradients": 300.0, "curvature": 301.0, "evaluate": 0.1},
        reasons=(),
    )  # fmt: skip
    assert phases(plan) == [
        ("gradients", "", "5:00"),
        ("curvature", "2.0 GB", "5:01"),
        ("evaluate", "1 MB", "0:00"),
    ]
    rows = dict(described(plan))
    assert words in rows["Gradients"] and "38.0 GB" in rows["Gradients"]
    assert rows["Memory"].startswith("2.0 GB at most, in the phase curvature")
    assert rows["Host memory"] == "1.0 GB"
    assert rows["Block size"] == "2,000 weights"
    assert rows["Time"] == "about 10:01 (gradients 5:00, curvature 5:01)"
    assert rows["Prunes"] == "1 to 90.0 % of 25.5 M weights"
    other = dataclasses.replace(plan, of="multiply-accumulates")
    assert dict(described(other))["Prunes"] == "1 to 90.0 % of the multiply-accumulates"
    assert rows["Disk"] == ("38.0 GB" if paged else "Nothing")
    kept = "about 120 MB in the run folder"
    assert rows["Timeline"] == (kept if paged else "Nothing is kept to look back at")
