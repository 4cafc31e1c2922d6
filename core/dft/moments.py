"""Magnetic moments that a calculation starts from: spins of the d and f electrons that oxidation states leave."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.records import Crystal

SEED_MU_B: Final = 0.5
"""Of a 3d metal that has no d electron by its oxidation state: whether it stays so is for the calculation to say."""

_COULD_BE_LOW: Final = ("Co", "Ni")
_LOW_FROM_STATE: Final = 2.5
"""Trivalent and higher Co and Ni are low-spin in most oxides, high-spin in most fluorides."""

_LONE_MU_B: Final = 5.0
"""Of a 3d metal whose oxidation state cannot be told, as the Materials Project starts."""


def starts(crystal: Crystal, spin: str) -> dict[str, tuple[float, ...]]:
    """Return the moments to try, in Bohr magnetons a site, by the name of the start (`high`, `low`, `none`).

    `spin` is that of `Level`. All moments point one way. `none`, with zeros, where no element has open shells.
    """
    states = oxidation_states(crystal)
    high = {symbol: high_spin_mu_b(symbol, state) for symbol, state in states.items()}
    low = {symbol: low_spin_mu_b(symbol, state) for symbol, state in states.items()}
    if not any(high.values()):
        return {"none": _on_sites(crystal, high)}
    mixed = {
        symbol: low[symbol] if _could_be_low(symbol, states) else moment for symbol, moment in high.items()
    }
    if spin == "high" or (spin == "lowest" and mixed == high):
        return {"high": _on_sites(crystal, high)}
    if spin == "low":
        return {"low": _on_sites(crystal, low)}
    return {"high": _on_sites(crystal, high), "low": _on_sites(crystal, mixed)}


def oxidation_states(crystal: Crystal) -> dict[str, float | None]:
    """Return the likeliest oxidation state of each element, averaged over its sites; None where none balances."""
    from pymatgen.core import Composition

    counts = Composition({symbol: crystal.count(symbol) for symbol in set(crystal.species)})
    guesses = counts.reduced_composition.oxi_state_guesses()
    known: Mapping[str, float] = guesses[0] if guesses else {}
    return {symbol: known.get(symbol) for symbol in sorted(set(crystal.species))}


def high_spin_mu_b(symbol: str, state: float | None) -> float:
    """Return the moment of an ion after Hund's rule; 4d and 5d metals, with their wide splitting, are low-spin."""
    from pymatgen.core import Element

    element = Element(symbol)
    if element.is_lanthanoid:
        n = min(max(float(element.Z) - 54.0 - (3.0 if state is None else state), 0.0), 14.0)
        return min(n, 14.0 - n)
    if not element.is_transition_metal or element.group == 12:
        return 0.0
    if element.row != 4:
        return low_spin_mu_b(symbol, state)
    if state is None:
        return _LONE_MU_B
    n = _d_electrons(element.group, state)
    return max(min(n, 10.0 - n), 0.0 if n >= 10.0 else SEED_MU_B)


def low_spin_mu_b(symbol: str, state: float | None) -> float:
    """Return the moment of an ion in an octahedron that splits its d shell far: t2g is filled first."""
    from pymatgen.core import Element

    element = Element(symbol)
    if not element.is_transition_metal or element.group == 12 or element.is_lanthanoid:
        return high_spin_mu_b(symbol, state) if element.is_lanthanoid else 0.0
    n = _d_electrons(element.group, 2.0 if state is None else state)
    if n <= 6.0:
        return min(n, 6.0 - n)
    return min(n - 6.0, 10.0 - n)


def _d_electrons(group: int, state: float) -> float:
    return min(max(group - state, 0.0), 10.0)


def _could_be_low(symbol: str, states: Mapping[str, float | None]) -> bool:
    return symbol in _COULD_BE_LOW and (states[symbol] or 0.0) >= _LOW_FROM_STATE


def _on_sites(crystal: Crystal, moments: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(round(moments[symbol], 3) for symbol in crystal.species)


def at_rest(moments: Sequence[float]) -> bool:
    """Return whether no site has a moment, so that both spins are the same."""
    return not any(moments)
