"""How many electrons a composition's redox metals can give, by charge balance over common oxidation states.

The count needs no structure and no fit: with the anions at their usual charges, the framework without the working ions
can be at most as positive as its redox metals' highest common states allow. Assumptions, all of them:

- Anions keep their charge (no oxygen redox, no peroxides, no S-S pairs): O, S, Se, Te -2, halogens -1, N and P -3.
- An element that can be anion or cation (P in phosphates, S in sulfates, H in hydroxides) is a cation only beside
  a more electronegative one, all its atoms alike; the first choice in the order of `_STATES` that balances is taken.
- Metals without a redox couple in cathodes keep the state listed; Sn, Pb, Sb, Bi, Tl are never counted as redox
  metals, as their lone-pair states change by conversion and not by insertion.
- Only the sum over the redox metals matters, so it need not be known which of two metals is oxidised first.

States: N. N. Greenwood, A. Earnshaw, Chemistry of the Elements, 2nd ed. (1997), and the charged ends of known cathodes
named in `REDOX_STATES`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final, NamedTuple


class RedoxStates(NamedTuple):
    """Lowest state, highest common state (the limit of charging), and highest state known in solids."""

    lowest: int
    common: int
    known: int


REDOX_STATES: Final[dict[str, RedoxStates]] = {
    "Ti": RedoxStates(2, 4, 4),  # TiO2, TiS2
    "V": RedoxStates(2, 5, 5),  # V2O5
    "Cr": RedoxStates(2, 4, 6),  # CrO2; Cr 6+ is tetrahedral chromate and does not form by de-insertion
    "Mn": RedoxStates(2, 4, 7),  # MnO2; Mn 5+ to 7+ are soluble tetrahedral oxo-anions
    "Fe": RedoxStates(2, 3, 6),  # FePO4; Fe 4+ only in perovskites made under O2 pressure
    "Co": RedoxStates(2, 4, 4),  # CoO2, the end of LiCoO2
    "Ni": RedoxStates(2, 4, 4),  # NiO2, the end of LiNiO2
    "Cu": RedoxStates(1, 2, 3),  # CuO, CuS; Cu 3+ only in a few oxides
    "Nb": RedoxStates(2, 5, 5),  # Nb2O5
    "Mo": RedoxStates(2, 6, 6),  # MoO3
    "Tc": RedoxStates(2, 7, 7),  # pertechnetates
    "Ru": RedoxStates(2, 5, 8),  # between Li2RuO3 and LiRuO3
    "Rh": RedoxStates(1, 4, 6),  # RhO2
    "Pd": RedoxStates(1, 4, 4),  # PdO2; PdO is the commoner oxide
    "Ag": RedoxStates(1, 1, 3),  # AgO is Ag(I)Ag(III): no charged cathode end
    "Ta": RedoxStates(2, 5, 5),  # Ta2O5
    "W": RedoxStates(2, 6, 6),  # WO3
    "Re": RedoxStates(2, 7, 7),  # Re2O7, perrhenates
    "Os": RedoxStates(2, 6, 8),  # double perovskites Ba2MOsO6; Os 8+ is a volatile molecule
    "Ir": RedoxStates(1, 5, 6),  # Sr2YIrO6; beyond it O redox
    "Pt": RedoxStates(1, 4, 6),  # PtO2
    "Au": RedoxStates(1, 3, 5),  # Au2O3
    "Ce": RedoxStates(3, 4, 4),  # CeO2
    "Eu": RedoxStates(2, 3, 3),  # Eu2O3
    "Yb": RedoxStates(2, 3, 3),  # Yb2O3
    "U": RedoxStates(3, 6, 6),  # UO3
    "Np": RedoxStates(3, 6, 7),  # NpO2 2+
    "Pu": RedoxStates(3, 4, 6),  # PuO2
}
"""Elements whose oxidation pays for the working ions that leave."""

ANION_FORMERS: Final = ("F", "O", "Cl", "N", "Br", "I", "S", "Se", "Te", "P")
"""Elements that make a compound more than an intermetallic."""

_ELECTRONEGATIVE: Final = (
    "F", "O", "Cl", "N", "Br", "I", "S", "Se", "C", "H", "P", "As", "Te", "Sb", "B", "Ge", "Si",
)  # fmt: skip
"""Falling electronegativity (Pauling); an element is a cation only beside one that stands before it."""

_STATES: Final[dict[str, tuple[int, ...]]] = {
    "F": (-1,), "O": (-2,), "Cl": (7, 5, -1), "Br": (5, -1), "I": (7, 5, -1), "N": (5, 3, -3),
    "S": (6, 4, -2), "Se": (6, 4, -2), "Te": (6, 4, -2), "P": (5, 4, 3, -3), "As": (5, 3, -3),
    "C": (4, 3, 2, -4), "H": (1, -1), "Sb": (5, 3), "Si": (4,), "Ge": (4,), "B": (3,),
    "Sn": (4, 2), "Pb": (2, 4), "Tl": (1, 3), "Bi": (3, 5), "Hg": (2, 1), "In": (3, 1), "Ga": (3,), "Al": (3,),
    "Li": (1,), "Na": (1,), "K": (1,), "Rb": (1,), "Cs": (1,), "Fr": (1,),
    "Be": (2,), "Mg": (2,), "Ca": (2,), "Sr": (2,), "Ba": (2,), "Ra": (2,), "Zn": (2,), "Cd": (2,),
    "Sc": (3,), "Y": (3,), "La": (3,), "Pr": (3, 4), "Nd": (3,), "Pm": (3,), "Sm": (3, 2), "Gd": (3,), "Tb": (3, 4),
    "Dy": (3,), "Ho": (3,), "Er": (3,), "Tm": (3, 2), "Lu": (3,), "Ac": (3,), "Am": (3,), "Cm": (3,),
    "Zr": (4,), "Hf": (4,), "Th": (4,), "Pa": (5, 4),
}  # fmt: skip
"""States of all other elements, the first choice first."""


def redox_metals(elements: Iterable[str]) -> list[str]:
    """Return, in alphabetical order, those elements whose oxidation is counted."""
    return sorted(set(elements) & REDOX_STATES.keys())


def has_anion(elements: Iterable[str]) -> bool:
    """Return whether any element is an anion former; without one the compound is an intermetallic."""
    return not set(elements).isdisjoint(ANION_FORMERS)


def removable_electrons(composition: Mapping[str, int], working_ion: str, charge_number: int) -> float | None:
    """Return how many electrons the composition can give up while its working ions leave, or None.

    With n working ions of charge z, framework charge at the highest common states P and total anion charge A, the
    charged compound balances as long as at least (A - P)/z ions stay: electrons = min(n z, max(0, n z + P - A)).
    None where no choice of states balances the discharged composition (intermetallics, most phosphides, peroxides).
    """
    ions_charge = composition[working_ion] * charge_number
    framework = {element: count for element, count in composition.items() if element != working_ion}
    metals = {element: count for element, count in framework.items() if element in REDOX_STATES}
    others = {element: count for element, count in framework.items() if element not in REDOX_STATES}
    lowest, common, known = (
        sum(count * REDOX_STATES[element][level] for element, count in metals.items()) for level in range(3)
    )
    for charge in _charges(others):
        needed = -(ions_charge + charge)  # what the redox metals hold together in the discharged compound
        if lowest <= needed <= known:
            return float(min(ions_charge, max(0, common - needed)))
    return None


def _charges(composition: Mapping[str, int]) -> Iterator[int]:
    """Yield the total charge of elements without redox for each choice of their states, likeliest first."""
    choices = [_possible_states(element, composition) for element in composition]
    for states in product(*choices):
        if any(state < 0 for state in states):
            yield sum(state * count for state, count in zip(states, composition.values(), strict=True))


def _possible_states(element: str, composition: Mapping[str, int]) -> tuple[int, ...]:
    states = _STATES.get(element, ())
    if element not in _ELECTRONEGATIVE:
        return states
    stronger = _ELECTRONEGATIVE[: _ELECTRONEGATIVE.index(element)]
    oxidised = any(other in composition for other in stronger)
    return states if oxidised else tuple(state for state in states if state < 0)
