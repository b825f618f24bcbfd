"""The picture: well-formed SVG whose points lie where the numbers say."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from engine.comparing.cells import Cell, groups
from engine.comparing.picture import HEIGHT, LEFT, TOP, WIDTH, picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(cells, dense=None, **others):
    panels = {title: groups(each) for title, each in {"": cells, **others}.items()}
    return ElementTree.fromstring(picture(panels, dense))


def lines_of(root):
    return list(root.iter(f"{SVG}polyline"))


def line_of(root, number=0):
    points = lines_of(root)[number].get("points").split()
    return [tuple(map(float, point.split(","))) for point in points]


def words(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def cells(*methods):
    return [
        Cell(m, s, seed, final=100 - 60 * s - 5 * n - seed)
        for n, m in enumerate(methods)
        for s in (0.5, 0.75, 1.0 - 2**-30)
        for seed in (0, 1)
    ]


def test_points_lie_in_proportion_inside_the_frame():
    root = drawn(cells("a"), dense=95.0)
    (x1, y1), (x2, y2), (x3, y3) = line_of(root)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y2 - y1 == pytest.approx(y3 - y2, abs=0.2) and y1 < y2
    assert x1 > LEFT and x3 < LEFT + WIDTH and y1 > TOP and y3 < TOP + HEIGHT
    for shown in ("a", "dense", "Sparsity (%)"):
        assert shown in words(root)
    assert any("standard deviation" in text for text in words(root))
    assert any("Test accuracy (%)" in text for text in words(root))


def test_any_name_and_many_methods_stay_legible():
    names = [f'<{n} & "co"> {"long " * (n % 3) * 10}' for n in range(25)]
    root = drawn(cells(*names))
    lines = lines_of(root)
    looks = {(e.get("stroke"), e.get("stroke-dasharray")) for e in lines}
    assert len(lines) == 25 and len(looks) == 21  # seven colours, three dashes
    assert float(root.get("height")) > 25 * 24
    shown = [t for t in words(root) if t.startswith("<")]
    assert len(shown) == 25 and max(map(len, shown)) <= 40


@pytest.mark.parametrize(
    "known", [[], [Cell("a", 0.9, 0)], [Cell("a", 0.9, 0, final=0.0)]]
)
def test_little_or_nothing_known_is_a_picture_too(known):
    root = drawn(known)
    assert len(lines_of(root)) == sum(c.final is not None for c in known)
    assert "deviation" not in " ".join(words(root))


def test_a_single_seed_has_no_bars():
    alone = [replace(cell, seed=0) for cell in cells("a") if cell.seed == 0]
    assert not any("deviation" in text for text in words(drawn(alone)))


def test_panels_share_their_scales_and_have_titles():
    low = [replace(cell, final=cell.final - 30) for cell in cells("b")]
    root = drawn(cells("a"), dense=95.0, low=low)
    assert "low" in words(root) and words(root).count("dense") == 2
    top, bottom = line_of(root, 0), line_of(root, 1)
    assert [x for x, _ in top] == [x for x, _ in bottom]
    assert all(y < lower for (_, y), (_, lower) in zip(top, bottom, strict=True))
    places = [group.get("transform") for group in root.iter(f"{SVG}g")]
    offset = float(places[1].split()[1].rstrip(")"))
    assert offset > HEIGHT and float(root.get("height")) > 2 * HEIGHT
    alone = drawn([], low=low)  # an empty panel is left out, and so is the title
    assert "low" not in words(alone) and len(list(alone.iter(f"{SVG}g"))) == 1
