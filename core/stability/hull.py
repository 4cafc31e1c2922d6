"""Energy above the convex hull, and what a composition would rather be.

    E_hull(x) = min over w of sum_j w_j E_j,   with sum_j w_j x_j = x, w_j >= 0
    E_above = E_f(x) - E_hull(x)

E_j: formation energies of the known phases, eV/atom. The hull is pymatgen's (Ong and others, Chem. Mater. 20, 1798
(2008), doi:10.1021/cm702327g), one phase diagram a chemical system, kept for the next question.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from core.errors import HullError
from core.stability.phases import Phase, Phases, shipped_phases

if TYPE_CHECKING:
    from pymatgen.analysis.phase_diagram import PhaseDiagram
    from pymatgen.core import Composition

KEPT_DIAGRAMS: Final = 256
SMALLEST_AMOUNT: Final = 1e-6
"""Formula units per atom of the whole below which a product is rounding of the solver, not a product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A phase of a decomposition and how many formula units of it one gets."""

    formula: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """What a composition is at equilibrium: energy of the hull there, eV/atom, and the phases for what was asked."""

    energy_ev_per_atom: float
    products: tuple[Product, ...]

    def __str__(self) -> str:
        return " + ".join(_term(product) for product in self.products)


class Hull:
    """Phase diagrams over a set of phases, made when first asked for. Safe to share between threads."""

    def __init__(self, phases: Phases) -> None:
        self.phases = phases
        self._diagrams: OrderedDict[frozenset[str], PhaseDiagram] = OrderedDict()
        self._lock = threading.Lock()

    def diagram(self, elements: Iterable[str]) -> "PhaseDiagram":
        """Return the phase diagram that these elements span.

        Raises `HullError` for an element of which no phase is known: a hull without its compounds would call
        everything stable.
        """
        system = frozenset(elements)
        unknown = sorted(system - self.phases.elements)
        if unknown:
            raise HullError(
                f"No phase of {', '.join(unknown)} is known here ({len(self.phases.elements)} elements are), so that "
                "nothing can be said of its stability. Choose a composition without it."
            )
        with self._lock:
            if system not in self._diagrams:
                self._diagrams[system] = phase_diagram(self.phases.within(system), system)
            self._diagrams.move_to_end(system)
            if len(self._diagrams) > KEPT_DIAGRAMS:
                self._diagrams.popitem(last=False)
            return self._diagrams[system]

    def decompose(self, composition: Mapping[str, float]) -> Decomposition:
        """Return what this many atoms of each element are at equilibrium; amounts are for just these atoms.

        Raises `HullError` for an empty composition, a count that is no positive number, or an unknown element.
        """
        whole = checked(composition)
        parts = self.diagram(composition).get_decomposition(whole)
        energy = sum(part.energy_per_atom * share for part, share in parts.items())
        return Decomposition(energy_ev_per_atom=float(energy), products=_products(parts, whole.num_atoms))

    def e_above_hull(self, composition: Mapping[str, float], formation_energy_ev_per_atom: float) -> float:
        """Return how far a formation energy (eV/atom) lies above the hull at its composition, eV/atom.

        Negative is below the hull that is known here: a phase that the table lacks, or the error of the energy. Raises
        `HullError` as `decompose` does, and for an energy that is not finite.
        """
        if not math.isfinite(formation_energy_ev_per_atom):
            raise HullError(f"A formation energy of {formation_energy_ev_per_atom} is none; give eV/atom.")
        return formation_energy_ev_per_atom - self.decompose(composition).energy_ev_per_atom


@lru_cache(maxsize=1)
def shipped_hull() -> Hull:
    """Return the hull over the shipped phases, one a process. Raises `HullError` where they are missing."""
    return Hull(shipped_phases())


def phase_diagram(phases: Sequence[Phase], elements: Iterable[str]) -> "PhaseDiagram":
    """Return the phase diagram of some phases and of the elements, whose energy is 0."""
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Composition, Element

    entries = [PDEntry(Composition(symbol), 0.0, name=symbol) for symbol in elements]
    for phase in phases:
        composition = Composition(phase.formula)
        energy = phase.formation_energy_ev_per_atom * composition.num_atoms
        entries.append(PDEntry(composition, energy, name=phase.formula))
    return PhaseDiagram(entries, elements=[Element(symbol) for symbol in sorted(elements)])


def checked(composition: Mapping[str, float]) -> "Composition":
    """Return counts of atoms as pymatgen takes them; raise `HullError` for none or one that is no positive number."""
    from pymatgen.core import Composition

    if not composition or not all(math.isfinite(count) and count > 0 for count in composition.values()):
        raise HullError(f"{dict(composition)} is no composition; give positive counts of atoms by element.")
    return Composition(dict(composition))


def _products(parts: Mapping[Any, float], n_atoms: float) -> tuple[Product, ...]:
    """The phases of a decomposition, given as shares of the atoms, most of the atoms first."""
    kept = sorted(parts.items(), key=lambda item: (-item[1], item[0].name))
    products = []
    for entry, share in kept:
        formula, n_units = entry.composition.get_reduced_formula_and_factor()
        amount = share * n_atoms / entry.composition.num_atoms * n_units
        if amount > SMALLEST_AMOUNT * n_atoms:
            products.append(Product(formula=formula, amount=float(amount)))
    return tuple(products)


def _term(product: Product) -> str:
    amount = f"{product.amount:.3g}"
    return product.formula if amount == "1" else f"{amount} {product.formula}"
