"""A scene as a flat picture that prints: atoms, bonds and cell in parallel projection, as SVG."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

import numpy as np

from core.records import FloatArray

_TURN_DEG, _TILT_DEG = 25.0, 14.0
_EDGE: Final = "#8a979c"
_MARGIN_A: Final = 0.9

_Item = tuple[float, str]
"""Distance towards the eye and an SVG element."""


def flat_picture(scene: Mapping[str, Any], *, height_px: int = 240) -> str:
    """Return a scene of `core.drawing.scenes` as SVG of a height, c upwards; what is nearer hides what is farther."""
    view = _view()
    items = [*_edges(scene, view), *_bonds(scene, view), *_atoms(scene, view)]
    points = (
        np.concatenate([np.array(part["positions"]) for part in scene["atoms"] if part["positions"]]) @ view.T
    )
    low, high = points[:, :2].min(axis=0) - _MARGIN_A, points[:, :2].max(axis=0) + _MARGIN_A
    width, height = high - low
    box = f"{low[0]:.2f} {-high[1]:.2f} {width:.2f} {height:.2f}"
    drawn = "".join(element for _, element in sorted(items))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" height="{height_px}" '
        f'width="{height_px * width / height:.0f}" role="img" aria-label="Structure">{drawn}</svg>'
    )


def _view() -> FloatArray:
    """(3, 3) rows: to the right, upwards, towards the eye."""
    turn, tilt = np.radians([_TURN_DEG, _TILT_DEG])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    upright = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    view: FloatArray = upright @ about_x @ about_z
    return view


def _line(start: FloatArray, end: FloatArray, colour: str, width_a: float) -> _Item:
    depth = float(start[2] + end[2]) / 2.0
    ends = f'x1="{start[0]:.2f}" y1="{-start[1]:.2f}" x2="{end[0]:.2f}" y2="{-end[1]:.2f}"'
    return depth, f'<line {ends} stroke="{colour}" stroke-width="{width_a}" stroke-linecap="round"/>'


def _edges(scene: Mapping[str, Any], view: FloatArray) -> Iterator[_Item]:
    lattice_a = np.array(scene["lattice"])
    for axis in range(3):
        for others in product((0.0, 1.0), repeat=2):
            start = np.insert(np.array(others), axis, 0.0) @ lattice_a
            yield _line(view @ start, view @ (start + lattice_a[axis]), _EDGE, 0.04)


def _bonds(scene: Mapping[str, Any], view: FloatArray) -> Iterator[_Item]:
    for part in scene["bonds"]:
        colour = scene["elements"][part["element"]]["color"]
        for segment in np.array(part["segments"]).reshape(-1, 2, 3):
            yield _line(view @ segment[0], view @ segment[1], colour, 0.16)


def _atoms(scene: Mapping[str, Any], view: FloatArray) -> Iterator[_Item]:
    for part in scene["atoms"]:
        look = scene["elements"][part["element"]]
        for x, y, depth in (view @ np.array(position) for position in part["positions"]):
            circle = f'<circle cx="{x:.2f}" cy="{-y:.2f}" r="{look["radius"]:.2f}"'
            yield float(depth), f'{circle} fill="{look["color"]}" stroke="#333" stroke-width="0.03"/>'
