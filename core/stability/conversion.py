"""Where a host stops taking ions in and falls to MgO (or MgS, MgF2, ...) and reduced phases instead.

From Mg_n H, the discharged host, on along the line to the metal, the hull is a polygon. With formation energies, in
which the metal is 0, and ions of charge z, the stretch from k_i to k_(i+1) further ions has the voltage

    V_i = -[E_hull(Mg_(n+k_(i+1)) H) - E_hull(Mg_(n+k_i) H)] / [(k_(i+1) - k_i) z]

which falls from stretch to stretch, since the hull is convex. The first one whose products are more than one phase is
the conversion voltage: below it the host at equilibrium takes more of the metal and falls apart. It is that of the hull
and not of the host itself: what a metastable host would gain by falling apart without any metal is its energy above the
hull, which is told beside it, and would put the voltage of the smallest k at infinity.

The other side, whether the charged host would rather convert than take ions in, is

    V_full = [E(charged) - E_hull(discharged)] / (n z) = V_insertion + E_above(discharged) N / (n z)

As D. C. Hannah, G. Sai Gautam, P. Canepa, G. Ceder, On the balance of intercalation and conversion reactions in battery
cathodes (2018), arXiv:1804.06704, compare the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import HullError
from core.stability.hull import Decomposition, Hull, checked

SMALLEST_STEP: Final = 1e-4
"""Ions per atom of the host below which two corners of the hull are one."""

PLATING_V: Final = 0.02
"""Below it the metal plates: what the hull holds there are dilute alloys of the metal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionStep:
    """A stretch of further reduction: up to `ions` more than the host holds, at `voltage_v`, into `products`."""

    ions: float
    voltage_v: float
    products: Decomposition

    @property
    def is_conversion(self) -> bool:
        """Whether more than one phase comes out; a single one is the host with more ions inside."""
        return len(self.products.products) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """All stretches from the discharged host to where the metal plates, highest voltage first."""

    steps: tuple[ConversionStep, ...]

    @property
    def first(self) -> ConversionStep | None:
        """The stretch on which the host converts, None for one that no amount of metal reduces."""
        return next((step for step in self.steps if step.is_conversion), None)

    @property
    def voltage_v(self) -> float:
        """Below it the host converts; 0 V, where the metal itself plates, if it never does before."""
        return 0.0 if self.first is None else self.first.voltage_v


def conversion(
    hull: Hull, discharged: Mapping[str, float], working_ion: str, charge_number: int
) -> Conversion:
    """Return what becomes of a discharged host (counts of atoms by element) that is given more of the ion's metal.

    Products and ions are for just these atoms. Raises `HullError` for a host without other elements than the ion's, for
    an element that the hull does not know, and for a charge number that is not positive.
    """
    host = {element: count for element, count in discharged.items() if element != working_ion}
    if not host or charge_number < 1:
        raise HullError(
            f"{dict(discharged)} with {working_ion}{charge_number}+: a host with other elements than the ion, and a "
            "charge of 1 or more, are needed."
        )
    start, n_host = checked(discharged), sum(host.values())
    diagram = hull.diagram({*discharged, working_ion})
    corners = diagram.get_critical_compositions(start, checked({working_ion: 1.0}))
    # The line is given in whatever amounts; the host's own atoms say how many ions stand beside them.
    held = discharged.get(working_ion, 0.0)
    ions = sorted(
        float(corner[working_ion] * n_host / (corner.num_atoms - corner[working_ion])) - held
        for corner in corners[:-1]
    )
    steps = []
    before_ions, before_ev = 0.0, _hull_ev(hull, host, working_ion, held)[0]
    for more in ions:
        if more - before_ions < SMALLEST_STEP * n_host:
            continue
        energy_ev, products = _hull_ev(hull, host, working_ion, held + more)
        voltage_v = -(energy_ev - before_ev) / ((more - before_ions) * charge_number)
        if voltage_v < PLATING_V:
            break
        steps.append(ConversionStep(ions=more, voltage_v=voltage_v, products=products))
        before_ions, before_ev = more, energy_ev
    return Conversion(steps=tuple(steps))


def full_conversion_voltage_v(
    hull: Hull, charged_ev: float, discharged: Mapping[str, float], n_ions: float, charge_number: int
) -> float:
    """Return the voltage at which a charged host and n ions become the equilibrium at the discharged composition.

    `charged_ev`: formation energy of all the charged host's atoms, eV. Raises `HullError` as `Hull.decompose` does.
    """
    n_atoms = sum(discharged.values())
    return (charged_ev - hull.decompose(discharged).energy_ev_per_atom * n_atoms) / (n_ions * charge_number)


def _hull_ev(
    hull: Hull, host: Mapping[str, float], working_ion: str, ions: float
) -> tuple[float, Decomposition]:
    """Energy of the hull at a host with this many ions, eV for all its atoms, and what it is there."""
    composition = {**host, **({working_ion: ions} if ions > 0 else {})}
    found = hull.decompose(composition)
    return found.energy_ev_per_atom * sum(composition.values()), found
