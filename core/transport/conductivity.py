"""Ionic conductivity from self-diffusivity: Nernst and Einstein, ions taken as independent (Haven ratio 1)."""

from dataclasses import dataclass

from core.errors import TransportError
from core.transport.diffusivity import Diffusivity
from core.units import MS_PER_CM_NERNST_EINSTEIN


@dataclass(frozen=True, slots=True, kw_only=True)
class IonicConductivity:
    """sigma with the interval of the diffusivity it came from; an upper limit has its high end alone."""

    temperature_k: float
    charge_number: int
    n_ions: int
    volume_a3: float
    confidence: float
    sigma_ms_per_cm: float | None
    sigma_std_ms_per_cm: float | None
    sigma_low_ms_per_cm: float | None
    sigma_high_ms_per_cm: float | None


def nernst_einstein_ms_per_cm(
    d_cm2_per_s: float, *, n_ions: int, charge_number: int, volume_a3: float, temperature_k: float
) -> float:
    """Return sigma = N e^2 z^2 D / (V k_B T) in mS/cm, of N ions of charge z e in V cubic angstrom at T kelvin.

    Raises `TransportError` for a negative D, no ion, no charge, or a volume or temperature that is not positive.
    """
    if not (d_cm2_per_s >= 0 and n_ions > 0 and charge_number != 0 and volume_a3 > 0 and temperature_k > 0):
        raise TransportError(
            f"D {d_cm2_per_s} cm2/s, {n_ions} ions of charge {charge_number}, {volume_a3} cubic angstrom, "
            f"{temperature_k} K: D may not be negative, the charge not zero, and all others must be positive."
        )
    return MS_PER_CM_NERNST_EINSTEIN * n_ions * charge_number**2 * d_cm2_per_s / (volume_a3 * temperature_k)


def conductivity(
    diffusivity: Diffusivity, *, n_ions: int, charge_number: int, volume_a3: float, temperature_k: float
) -> IonicConductivity:
    """Return the Nernst-Einstein conductivity of `n_ions` mobile ions in one cell of `volume_a3`, with its interval.

    Figures that the diffusivity does not have stay None. Raises `TransportError` as `nernst_einstein_ms_per_cm` does.
    """
    sigma_per_d = nernst_einstein_ms_per_cm(
        1.0, n_ions=n_ions, charge_number=charge_number, volume_a3=volume_a3, temperature_k=temperature_k
    )

    def sigma(d_cm2_per_s: float | None) -> float | None:
        return None if d_cm2_per_s is None else sigma_per_d * d_cm2_per_s

    return IonicConductivity(
        temperature_k=temperature_k,
        charge_number=charge_number,
        n_ions=n_ions,
        volume_a3=volume_a3,
        confidence=diffusivity.confidence,
        sigma_ms_per_cm=sigma(diffusivity.d_cm2_per_s),
        sigma_std_ms_per_cm=sigma(diffusivity.d_std_cm2_per_s),
        sigma_low_ms_per_cm=sigma(diffusivity.d_low_cm2_per_s),
        sigma_high_ms_per_cm=sigma(diffusivity.d_high_cm2_per_s),
    )
