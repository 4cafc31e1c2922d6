"""Is it diffusion at all? The shape of an MSD where it should be straight, and what to call the motion if it is not."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import TransportError
from core.records import FloatArray
from core.transport.gls import LineFit, bend_z, fit_line, linear_map
from core.transport.msd import MeanSquareDisplacement

REGIMES = ("diffusive", "bounded", "subdiffusive", "ballistic", "too short")
"""Straight and rising; flat, or inside a cage; flattening; steepening; too little to tell."""

MIN_FRAMES = 100
MIN_IONS = 2
START_SHARE = 20
"""The line is fitted from a twentieth of the run on: a start picked by the data itself would bias the slope."""

START_PS = 0.5
"""Nor does it start before half a picosecond, by when vibrations in a crystal have forgotten themselves."""

WINDOW = 6
"""The fitted lags span at least this factor, up to half of the run: less shows no bend."""

SLOPE_Z = 2.0
FLATTENING_Z = 2.0
STEEPENING_Z = -3.0
"""Steepening is plain where it exists (-4 to -10), and a sound run should not be lost to chance. A few late hops bend a
line as far; what tells free flight from them is an exponent above one."""

CAGE_A2 = 1.0
"""Rise of the MSD over the run that leaves a site: above vibration; a 3 angstrom hop of every ninth ion gives it."""

HOP_A = 3.0
"""Usual distance between magnesium sites, by which hops are counted."""

MIN_HOPS = 4.0
"""Hops' worth of displacement, over all ions: fewer are zero within two of their Poisson errors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regime:
    """What an MSD's shape says, one of `REGIMES`, with the evidence; all figures are None where it is too short.

    `start`: index of the first fitted lag. `bend_z`: see `core.transport.gls.bend_z`. `growth_a2`: fitted rise of the
    MSD over the whole run, square angstrom. `exponent`: log-log slope over the fitted lags with the standard deviation
    it has in diffusive motion; vibration lowers it, so that it cannot show flattening.
    """

    kind: str
    start: int | None = None
    fit: LineFit | None = None
    bend_z: float | None = None
    growth_a2: float | None = None
    exponent: float | None = None
    exponent_std: float | None = None


def classify(
    msd: MeanSquareDisplacement, *, start_ps: float | None = None, cage_a2: float = CAGE_A2
) -> Regime:
    """Return the regime of an MSD from `start_ps` on (default: a twentieth of the run, at least half a picosecond).

    Motion rises where the slope of its line is `SLOPE_Z` errors above zero, the mean ion leaves a cage of `cage_a2` and
    `MIN_HOPS` were seen; else it is bounded. What rises is diffusive unless it bends by more than chance, which makes
    it subdiffusive, or ballistic where the exponent is above one. Slow exploration of a cage, as long as the run, has
    the shape of diffusion: only `cage_a2` tells it apart. Raises `TransportError` for a `start_ps` that leaves no
    window to fit.
    """
    start = _start(msd, start_ps)
    if start is None:
        return Regime(kind="too short")
    lag_frames, ion_axis_a2 = msd.lag_frames[start:], msd.ion_axis_a2[start:]
    ion_a2 = ion_axis_a2.sum(axis=2)
    fit = fit_line(lag_frames, ion_axis_a2, msd.n_frames)
    bend, growth_a2 = bend_z(lag_frames, ion_a2, fit), fit.slope * msd.n_frames
    leaves = growth_a2 > max(cage_a2, MIN_HOPS * HOP_A**2 / msd.n_ions)
    exponent, exponent_std = _exponent(lag_frames, ion_a2.mean(axis=1), fit.covariance)
    kind = _kind(bend, exponent, rises=leaves and fit.slope_z > SLOPE_Z)
    return Regime(
        kind=kind, start=start, fit=fit, bend_z=bend, growth_a2=growth_a2,
        exponent=exponent, exponent_std=exponent_std,
    )  # fmt: skip


def has_melted(framework: MeanSquareDisplacement, *, cage_a2: float = CAGE_A2) -> bool:
    """Return whether a framework species leaves its sites: its MSD still rises at late lags, straight or not."""
    regime = classify(framework, cage_a2=cage_a2)
    if regime.fit is None or regime.growth_a2 is None:
        return False
    return regime.fit.slope_z > SLOPE_Z and regime.growth_a2 > cage_a2


def _kind(bend: float, exponent: float, *, rises: bool) -> str:
    if not rises:
        return "bounded"
    if bend < STEEPENING_Z and exponent > 1.0:
        return "ballistic"
    return "subdiffusive" if bend > FLATTENING_Z else "diffusive"


def _start(msd: MeanSquareDisplacement, start_ps: float | None) -> int | None:
    """Return the index of the first lag to fit, or None where the run is too short for any."""
    default_ps = max(START_PS, msd.duration_ps / START_SHARE)
    frames = max(math.ceil((default_ps if start_ps is None else start_ps) / msd.frame_ps - 1e-9), 1)
    longest = int(msd.lag_frames[-1])
    if msd.n_frames < MIN_FRAMES or msd.n_ions < MIN_IONS:
        return None
    if frames * WINDOW > longest:
        if start_ps is None:
            return None
        raise TransportError(
            f"a fit from {start_ps:g} ps to {longest * msd.frame_ps:g} ps (half of the run) spans less than a factor "
            f"of {WINDOW}: start at {longest * msd.frame_ps / WINDOW:.3g} ps or earlier, or run longer."
        )
    return int(np.searchsorted(msd.lag_frames, frames))


def _exponent(
    lag_frames: NDArray[np.int64], msd_a2: FloatArray, covariance: FloatArray
) -> tuple[float, float]:
    safe_a2 = np.maximum(msd_a2, np.finfo(float).tiny ** 0.25)
    relative = covariance / np.outer(safe_a2, safe_a2)
    weights = linear_map(np.stack([np.log(lag_frames), np.ones(len(lag_frames))], axis=1), relative)[0]
    return float(weights @ np.log(safe_a2)), float(np.sqrt(weights @ relative @ weights))
