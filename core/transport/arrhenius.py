"""Barrier and prefactor from diffusivities at several temperatures, and what they say, and don't, at another one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from core.errors import TooFewTemperaturesError, TransportError
from core.records import CONFIDENCE
from core.units import BOLTZMANN_EV_PER_K

MIN_TEMPERATURES = 3
"""Two always lie on a line: nothing would tell whether D follows Arrhenius' law at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extrapolation:
    """D at one temperature from an Arrhenius fit; `extrapolated` where that lies outside the temperatures it rests on.

    The interval knows the fit's error only: it does not know of other mechanisms or phases outside the fitted range.
    """

    temperature_k: float
    d_cm2_per_s: float
    d_low_cm2_per_s: float
    d_high_cm2_per_s: float
    confidence: float
    extrapolated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrhenius:
    """ln D = ln D0 - E / (k_B T), fitted with the errors of ln D; covariance of (ln D0, E) kept for extrapolation.

    `scatter`: root of chi-square over its degrees of freedom; above 1 the points miss the line by more than their
    errors (no Arrhenius law, or errors too small), and all errors here are widened by it.
    """

    barrier_ev: float
    barrier_std_ev: float
    barrier_low_ev: float
    barrier_high_ev: float
    ln_d0_cm2_per_s: float
    covariance: tuple[float, float, float]
    scatter: float
    confidence: float
    n_temperatures: int
    lowest_k: float
    highest_k: float

    def at(self, temperature_k: float) -> Extrapolation:
        """Return D at a temperature with the interval that the fit's errors give it there, wider the farther away.

        Raises `TransportError` for a temperature that is not positive.
        """
        if not temperature_k > 0:
            raise TransportError(f"temperature {temperature_k} K; a positive one is needed.")
        inverse_ev = -1.0 / (BOLTZMANN_EV_PER_K * temperature_k)
        ln_d = self.ln_d0_cm2_per_s + self.barrier_ev * inverse_ev
        intercept, mixed, slope = self.covariance
        std = np.sqrt(intercept + 2 * mixed * inverse_ev + slope * inverse_ev**2)
        half = norm.ppf(0.5 + self.confidence / 2) * std
        return Extrapolation(
            temperature_k=temperature_k,
            d_cm2_per_s=float(np.exp(ln_d)),
            d_low_cm2_per_s=float(np.exp(ln_d - half)),
            d_high_cm2_per_s=float(np.exp(ln_d + half)),
            confidence=self.confidence,
            extrapolated=not self.lowest_k <= temperature_k <= self.highest_k,
        )


def arrhenius(
    temperature_k: Sequence[float],
    d_cm2_per_s: Sequence[float],
    d_std_cm2_per_s: Sequence[float],
    *,
    confidence: float = CONFIDENCE,
) -> Arrhenius:
    """Return the weighted least-squares line through ln D against 1/(k_B T), each point with error std / D.

    Give diffusive values only; upper limits don't belong in a line. Raises `TooFewTemperaturesError` for fewer
    than three different temperatures, `TransportError` for lists that don't fit together or values not positive.
    """
    values = [np.asarray(column, dtype=float) for column in (temperature_k, d_cm2_per_s, d_std_cm2_per_s)]
    _check(values, confidence)
    temperatures, d, d_std = values
    weight = d / d_std
    design = np.stack([np.ones(len(d)), -1.0 / (BOLTZMANN_EV_PER_K * temperatures)], axis=1)
    covariance = np.linalg.inv((design * weight[:, None] ** 2).T @ design)
    ln_d0, barrier = covariance @ (design * weight[:, None] ** 2).T @ np.log(d)
    misses = (np.log(d) - design @ np.array([ln_d0, barrier])) * weight
    scatter = float(np.sqrt(misses @ misses / (len(d) - 2)))
    covariance = covariance * max(scatter, 1.0) ** 2
    std = float(np.sqrt(covariance[1, 1]))
    half = float(norm.ppf(0.5 + confidence / 2)) * std
    return Arrhenius(
        barrier_ev=float(barrier), barrier_std_ev=std, barrier_low_ev=float(barrier - half),
        barrier_high_ev=float(barrier + half), ln_d0_cm2_per_s=float(ln_d0),
        covariance=(float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])), scatter=scatter,
        confidence=confidence, n_temperatures=len(set(temperatures.tolist())),
        lowest_k=float(temperatures.min()), highest_k=float(temperatures.max()),
    )  # fmt: skip


def _check(values: Sequence[np.ndarray], confidence: float) -> None:
    lengths = [len(column) for column in values]
    if len(set(lengths)) != 1:
        raise TransportError(f"{lengths} temperatures, diffusivities and errors; each point has one of each.")
    if not all((np.isfinite(column) & (column > 0)).all() for column in values):
        raise TransportError(
            "temperatures, diffusivities and errors must be positive; leave upper limits out."
        )
    if not 0.5 <= confidence <= 0.999:
        raise TransportError(f"confidence {confidence}; between 0.5 and 0.999 is meant, for example 0.9.")
    if (found := len(set(values[0].tolist()))) < MIN_TEMPERATURES:
        raise TooFewTemperaturesError(found, MIN_TEMPERATURES)
