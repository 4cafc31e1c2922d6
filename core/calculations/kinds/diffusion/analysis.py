"""From a run's frames to what they say about diffusion: figures, verdict and the curves behind them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.calculations.kinds.diffusion.result import MsdCurve, MsdLine
from core.dynamics import Frames
from core.errors import TransportError
from core.ions import charge_number
from core.records import CONFIDENCE, FloatArray
from core.transport import (
    Diffusivity,
    IonicConductivity,
    MeanSquareDisplacement,
    Trajectory,
    conductivity,
    measure,
    species_msd,
)

_LEAST_FRAMES: Final = 4  # of a trajectory; far fewer than a diffusivity needs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What frames at equilibrium say. `reason` goes with `verdict`; figures are None where the frames allow none."""

    verdict: str
    reason: str
    diffusivity: Diffusivity | None = None
    conductivity: IonicConductivity | None = None
    msd: dict[str, MeanSquareDisplacement] | None = None
    trajectory: Trajectory | None = None


def to_trajectory(frames: Frames) -> Trajectory:
    """Return the constant-volume part of a run as fractional positions; raise `TransportError` for too few frames."""
    part = frames.production()
    if len(part.step) < _LEAST_FRAMES:
        raise TransportError(
            f"{len(part.step)} frames of constant volume; {_LEAST_FRAMES} are the least. Run longer."
        )
    cell_a = np.asarray(part.cell_a, dtype=float)
    frac = np.asarray(part.positions_a, dtype=float) @ np.linalg.inv(cell_a)
    return Trajectory(
        species=tuple(part.species), step=np.asarray(part.step, dtype=np.int64), time_step_fs=part.time_step_fs,
        frac=frac, cell_a=cell_a[0] if np.ptp(cell_a, axis=0).max() == 0.0 else cell_a,
    )  # fmt: skip


def analyse(frames: Frames, working_ion: str, temperature_k: float) -> Analysis:
    """Return diffusivity, conductivity and curves of one run; what can't be analysed is `too short` or `aborted`."""
    if len(frames.production().step) < _LEAST_FRAMES:
        return Analysis(verdict="too short", reason="The run ended before constant volume. Run longer.")
    try:
        trajectory = to_trajectory(frames)
        measured = measure([trajectory], working_ion, confidence=CONFIDENCE)
        curves = species_msd(trajectory, working_ion)
    except TransportError as error:
        return Analysis(verdict="aborted", reason=str(error))
    sigma = conductivity(
        measured, n_ions=trajectory.species.count(working_ion), charge_number=charge_number(working_ion),
        volume_a3=trajectory.mean_volume_a3, temperature_k=temperature_k,
    )  # fmt: skip
    return Analysis(
        verdict=measured.verdict, reason=measured.reason, diffusivity=measured, msd=curves, trajectory=trajectory,
        conductivity=sigma,
    )  # fmt: skip


def curves_of(curves: dict[str, MeanSquareDisplacement]) -> dict[str, MsdCurve]:
    """Return mean-square displacements by species as results keep them, at most 64 points each."""
    return {
        species: MsdCurve(
            lag_ps=_rounded(curve.lag_ps),
            msd_a2=_rounded(curve.total_a2),
            axis_a2=tuple((x, y, z) for x, y, z in np.round(curve.axis_a2, 6).tolist()),
        )
        for species, curve in curves.items()
    }


def line_of(measured: Diffusivity, curve: MeanSquareDisplacement) -> MsdLine | None:
    """Return the fitted line with the band of its interval at the ends of the fit, None where nothing was fitted."""
    if measured.d_cm2_per_s is None or measured.start_ps is None:
        return None
    lag_ps = np.array([measured.start_ps, float(curve.lag_ps[-1])])
    line_a2 = measured.line_a2(lag_ps)
    offset_a2 = measured.offset_a2 or 0.0
    low, high = (
        (it or 0.0) / measured.d_cm2_per_s for it in (measured.d_low_cm2_per_s, measured.d_high_cm2_per_s)
    )
    return MsdLine(
        lag_ps=_rounded(lag_ps), msd_a2=_rounded(line_a2), offset_a2=offset_a2,
        low_a2=_rounded(offset_a2 + (line_a2 - offset_a2) * low),
        high_a2=_rounded(offset_a2 + (line_a2 - offset_a2) * high),
    )  # fmt: skip


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(np.round(np.asarray(values, dtype=float), 6).tolist())
