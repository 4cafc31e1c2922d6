"""Self-diffusivity with an interval that holds, or an upper limit, or the reason why there is neither."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm, t

from core.errors import TransportError
from core.records import CONFIDENCE, VERDICTS, FloatArray
from core.transport.gls import LineFit, fit_line
from core.transport.msd import MeanSquareDisplacement, pool, species_msd
from core.transport.regime import (
    CAGE_A2,
    HOP_A,
    MIN_FRAMES,
    MIN_IONS,
    SLOPE_Z,
    START_PS,
    WINDOW,
    Regime,
    classify,
    has_melted,
)  # fmt: skip
from core.transport.trajectory import Trajectory
from core.units import CM2_PER_S_PER_A2_PER_PS


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisDiffusivity:
    """D along one axis, half the slope of that axis' MSD; `low` is 0 where it is not above zero by two errors."""

    d_cm2_per_s: float
    d_std_cm2_per_s: float
    d_low_cm2_per_s: float
    d_high_cm2_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diffusivity:
    """What an MSD says about diffusion: a verdict of `core.records.VERDICTS`, the reason, and the figures it allows.

    "diffusive" has all figures; "upper limit" has `d_high_cm2_per_s` alone, which D stays below with `confidence`;
    others have none. `axes` holds x, y, z (or the axes the MSD was taken along) of diffusive motion. `n_ions` counts
    all pooled runs.
    """

    species: str
    verdict: str
    reason: str
    regime: Regime
    confidence: float
    n_ions: int
    duration_ps: float
    start_ps: float | None = None
    offset_a2: float | None = None
    d_cm2_per_s: float | None = None
    d_std_cm2_per_s: float | None = None
    d_low_cm2_per_s: float | None = None
    d_high_cm2_per_s: float | None = None
    axes: tuple[AxisDiffusivity, ...] = ()

    def __post_init__(self) -> None:
        figures = (self.d_cm2_per_s, self.d_std_cm2_per_s, self.d_low_cm2_per_s)
        has_value, has_limit = self.verdict == "diffusive", self.verdict in ("diffusive", "upper limit")
        if self.verdict not in VERDICTS or any((figure is not None) != has_value for figure in figures):
            raise TransportError(f"{self.species}: verdict {self.verdict!r} does not go with {figures}.")
        if (self.d_high_cm2_per_s is not None) != has_limit:
            raise TransportError(
                f"{self.species}: verdict {self.verdict!r} and limit {self.d_high_cm2_per_s}."
            )

    def line_a2(self, lag_ps: FloatArray) -> FloatArray:
        """Return the fitted MSD, offset + 6 D t, square angstrom; raise `TransportError` where nothing was fitted."""
        if self.d_cm2_per_s is None or self.offset_a2 is None:
            raise TransportError(
                f"{self.species}: verdict {self.verdict!r} has no line; look at the MSD itself."
            )
        return self.offset_a2 + 6 * self.d_cm2_per_s / CM2_PER_S_PER_A2_PER_PS * lag_ps


def diffusivity(
    msd: MeanSquareDisplacement,
    *,
    framework: Sequence[MeanSquareDisplacement] = (),
    confidence: float = CONFIDENCE,
    start_ps: float | None = None,
    cage_a2: float = CAGE_A2,
) -> Diffusivity:
    """Return D = slope / 6 of an MSD by generalised least squares, after its regime and the framework were tested.

    The error is the larger of theory (doi:10.1063/5.0008312, doi:10.1021/acs.jctc.4c01249) and the scatter between
    ions. The interval is that of a scale, D nu / chi2(nu) with nu = 2 (D / std)^2, which never reaches zero and is wide
    upwards where few hops were seen; std is widened by Student's t for the ions that it was learnt from. An upper
    limit allows for unseen hops of `HOP_A`. Ions count as independent. `start_ps` and `cage_a2`: see
    `core.transport.regime.classify`. Raises `TransportError` for a confidence outside 0.5 to 0.999.
    """
    if not 0.5 <= confidence <= 0.999:
        raise TransportError(
            f"confidence {confidence}; between 0.5 and 0.999 is meant, for example {CONFIDENCE}."
        )
    regime = classify(msd, start_ps=start_ps, cage_a2=cage_a2)
    melted = [other.species for other in framework if has_melted(other, cage_a2=cage_a2)]
    verdict, reason = _verdict(msd, regime, melted)
    figures: dict[str, float] = {}
    axes: tuple[AxisDiffusivity, ...] = ()
    if regime.fit is not None and verdict == "upper limit":
        figures = {"d_high_cm2_per_s": _limit(regime.fit, msd, confidence) * _d_per_slope(msd, 3)}
    if regime.fit is not None and verdict == "diffusive":
        figures = {"offset_a2": regime.fit.offset, **_figures(regime.fit, msd, 3, confidence)}
        axes = _axes(msd, regime, confidence)
    return Diffusivity(
        species=msd.species, verdict=verdict, reason=reason, regime=regime, confidence=confidence, n_ions=msd.n_ions,
        duration_ps=msd.duration_ps, start_ps=None if regime.start is None else float(msd.lag_ps[regime.start]),
        axes=axes, **figures,
    )  # fmt: skip


def measure(
    trajectories: Sequence[Trajectory], mobile: str, *, confidence: float = CONFIDENCE, start_ps: float | None = None
) -> Diffusivity:  # fmt: skip
    """Return the diffusivity of `mobile` from one run or several equal ones (seeds), unless the framework melts.

    Raises `TransportError` for runs that can't be pooled or hold no mobile ion or no framework.
    """
    runs = [species_msd(trajectory, mobile) for trajectory in trajectories]
    pooled = {species: pool([run[species] for run in runs]) for species in (runs[0] if runs else ())}
    if mobile not in pooled:
        raise TransportError("no trajectory was given; one run is the least.")
    framework = [msd for species, msd in pooled.items() if species != mobile]
    return diffusivity(pooled[mobile], framework=framework, confidence=confidence, start_ps=start_ps)


def _verdict(msd: MeanSquareDisplacement, regime: Regime, melted: Sequence[str]) -> tuple[str, str]:
    if melted:
        return "framework melted", f"{', '.join(melted)} of the framework leave their sites."
    if regime.kind == "too short":
        return "too short", (
            f"{msd.n_frames} frames over {msd.duration_ps:.3g} ps of {msd.n_ions} ions can't show diffusion: "
            f"{MIN_FRAMES} frames, {2 * WINDOW * START_PS:g} ps and {MIN_IONS} ions are the least. Run longer."
        )
    if regime.kind == "ballistic":
        return "too short", "The displacement still steepens as in free flight. Run longer."
    if regime.kind == "bounded":
        return "upper limit", (
            f"The displacement rises by {regime.growth_a2:.2g} square angstrom over the run: not beyond its error, or "
            "not out of a site."
        )
    if regime.kind == "subdiffusive":
        return "upper limit", "The displacement still flattens: D falls with time and lies below this."
    return "diffusive", "The displacement grows in a straight line."


def _axes(msd: MeanSquareDisplacement, regime: Regime, confidence: float) -> tuple[AxisDiffusivity, ...]:
    lags, ion_axis_a2 = msd.lag_frames[regime.start :], msd.ion_axis_a2[regime.start :]
    fits = [fit_line(lags, ion_axis_a2[:, :, axis : axis + 1], msd.n_frames) for axis in range(3)]
    return tuple(AxisDiffusivity(**_figures(fit, msd, 1, confidence)) for fit in fits)


def _figures(fit: LineFit, msd: MeanSquareDisplacement, n_axes: int, confidence: float) -> dict[str, float]:
    """Return D, its error and interval in cm2/s from the line through an MSD summed over `n_axes` axes."""
    d_per_slope = _d_per_slope(msd, n_axes)
    low, high = _interval(fit, confidence) if fit.slope_z > SLOPE_Z else (0.0, _limit(fit, msd, confidence))
    return {
        "d_cm2_per_s": max(fit.slope, 0.0) * d_per_slope, "d_std_cm2_per_s": fit.slope_std * d_per_slope,
        "d_low_cm2_per_s": low * d_per_slope, "d_high_cm2_per_s": high * d_per_slope,
    }  # fmt: skip


def _d_per_slope(msd: MeanSquareDisplacement, n_axes: int) -> float:
    return CM2_PER_S_PER_A2_PER_PS / (2 * n_axes * msd.frame_ps)


def _interval(fit: LineFit, confidence: float) -> tuple[float, float]:
    """Return the interval of a slope that is clearly above zero, square angstrom a frame."""
    upper = 0.5 + confidence / 2
    widened = fit.slope_std * float(t.ppf(upper, fit.dof) / norm.ppf(upper))
    nu = max(2 * (fit.slope / widened) ** 2, 2.0)
    low, high = fit.slope * nu / chi2.ppf(np.array([upper, 1 - upper]), nu)
    return float(low), float(high)


def _limit(fit: LineFit, msd: MeanSquareDisplacement, confidence: float) -> float:
    """Return the one-sided limit of a slope: by its error, and by Poisson's law for hops that chance may hide."""
    slope = max(fit.slope, 0.0)
    slope_of_one_hop = HOP_A**2 / (msd.n_ions * msd.n_frames)
    hops = chi2.ppf(confidence, 2 * (slope / slope_of_one_hop + 1)) / 2
    return max(slope + float(t.ppf(confidence, fit.dof)) * fit.slope_std, float(hops) * slope_of_one_hop)
