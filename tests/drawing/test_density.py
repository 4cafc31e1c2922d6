"""The density of visited places that the viewer draws as surfaces."""

import base64

import numpy as np

from core.drawing.density import ENCLOSED, path_density

LATTICE_A = np.array([[6.0, 0.0, 0.0], [-2.0, 7.0, 0.0], [0.5, 1.0, 8.0]])


def values_of(picture: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(picture["values"]), dtype="<u2").reshape(picture["shape"])


def shaken(centre: list[float], n: int = 4000) -> np.ndarray:
    away_a = np.random.default_rng(7).normal(0.0, 0.2, (n, 3))
    return np.array(centre) + away_a @ np.linalg.inv(LATTICE_A)


def test_peak_lies_where_the_ion_stays_in_whatever_image() -> None:
    picture = path_density(shaken([2.25, -0.5, 0.75]), LATTICE_A)
    values = values_of(picture)
    peak = np.array(np.unravel_index(values.argmax(), values.shape)) / values.shape
    assert np.abs(peak - [0.25, 0.5, 0.75]).max() < 0.06
    assert values.max() == 65535


def test_a_site_on_a_face_is_whole_across_the_cells_border() -> None:
    inside = values_of(path_density(shaken([0.5, 0.5, 0.5]), LATTICE_A))
    on_the_corner = values_of(path_density(shaken([0.0, 0.0, 0.0]), LATTICE_A))
    half = np.array(inside.shape) // 2
    moved = np.roll(on_the_corner, half, axis=(0, 1, 2))
    assert abs(int(moved.max()) - int(inside.max())) == 0
    assert np.abs(moved.astype(float) - inside).mean() < 0.02 * 65535


def test_surfaces_enclose_the_named_share() -> None:
    picture = path_density(np.vstack([shaken([0.2, 0.2, 0.2]), shaken([0.7, 0.6, 0.5], n=400)]), LATTICE_A)
    density = values_of(picture).astype(float) ** 3
    for level, share in zip(picture["levels"], ENCLOSED, strict=True):
        held = density[values_of(picture) >= level].sum() / density.sum()
        assert abs(held - share) < 0.02


def test_blur_is_round_in_a_slanted_cell() -> None:
    picture = path_density(np.zeros((1, 3)), LATTICE_A)
    density = values_of(picture).astype(float) ** 3
    grid = np.stack(np.meshgrid(*(np.fft.fftfreq(n) for n in density.shape), indexing="ij"), axis=-1)
    away_a = (grid @ LATTICE_A).reshape(-1, 3)
    spread = (density.reshape(-1, 1) / density.sum() * away_a).T @ away_a
    assert np.allclose(spread, np.trace(spread) / 3.0 * np.eye(3), atol=0.01)


def test_a_long_run_in_a_large_cell_stays_small_enough_to_send() -> None:
    points = np.random.default_rng(1).random((50_000, 3))
    picture = path_density(points, np.diag([40.0, 40.0, 40.0]))
    assert max(picture["shape"]) <= 56
    assert len(picture["values"]) < 500_000
