"""Where an ion has been over a run, as a smooth density on a grid of the cell: small enough to send, quick to draw."""

import base64
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.records import FloatArray

ENCLOSED: Final = (0.98, 0.5)
"""The share of the ion's time that each surface encloses: all but stray places, and where it stays."""

_SPACING_A = 0.28
_BLUR_A = 0.32
_FEWEST, _MOST = 8, 56
_LARGEST = np.iinfo(np.uint16).max


def path_density(frac: FloatArray, lattice_a: FloatArray) -> dict[str, Any]:
    """Return the density of visited places for the viewer, JSON-safe.

    `frac`: (n, 3) fractional positions in any image; `lattice_a`: (3, 3) lattice vectors as rows, angstrom.
    `shape`: nodes of the periodic grid along a, b and c, the first at the origin; `values`: the cube root of the
    density over its peak as base64 of uint16, little-endian, c fastest (the root keeps a passage that is visited a
    thousand times less than a site); `levels`: in the same measure, the surfaces that enclose `ENCLOSED` of it.
    """
    shape = np.clip(np.ceil(np.linalg.norm(lattice_a, axis=1) / _SPACING_A), _FEWEST, _MOST).astype(int)
    node = np.rint(frac * shape).astype(int) % shape
    counts = np.bincount(np.ravel_multi_index(tuple(node.T), tuple(shape)), minlength=shape.prod())
    density = _blurred(counts.reshape(shape).astype(np.float64), lattice_a)
    values = np.rint(np.cbrt(density / density.max()) * _LARGEST).astype("<u2")
    return {
        "shape": shape.tolist(),
        "values": base64.b64encode(values.tobytes()).decode("ascii"),
        "levels": [int(np.clip(_level(density, values, share), 1, _LARGEST - 1)) for share in ENCLOSED],
    }


def _blurred(counts: FloatArray, lattice_a: FloatArray) -> FloatArray:
    """Convolve with a Gaussian that is round in space, whatever the cell's angles; periodic."""
    orders = np.meshgrid(*(np.fft.fftfreq(n, d=1.0 / n) for n in counts.shape), indexing="ij")
    wave_per_a = 2.0 * np.pi * np.stack(orders, axis=-1) @ np.linalg.inv(lattice_a).T
    damping = np.exp(-0.5 * (_BLUR_A**2) * (wave_per_a**2).sum(axis=-1))
    return np.clip(np.fft.ifftn(np.fft.fftn(counts) * damping).real, 0.0, None)


def _level(density: FloatArray, values: NDArray[np.uint16], share: float) -> int:
    """Return the value at which the nodes above it hold `share` of the density."""
    order = np.argsort(density, axis=None)[::-1]
    held = np.cumsum(density.ravel()[order])
    return int(values.ravel()[order][np.searchsorted(held, share * held[-1])])
