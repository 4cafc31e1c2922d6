"""How stable the two ends of charging are, and whether the host takes ions in before it converts.

Both ends' energies come from one potential, both formation energies from one fit, so that

    V_insertion = [E_f(charged) N_charged - E_f(discharged) N_discharged] / (n z)

is on the hull's scale, where the metal is 0. A stated energy above hull of the discharged end is told in place of the
potential's; the voltages stay those of the potential, whose errors at the two ends cancel in part.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import HullError
from core.ions import charge_number
from core.stability.conversion import Conversion, conversion, full_conversion_voltage_v
from core.stability.formation import FormationEnergy, FormationModel, shipped_formation_model
from core.stability.hull import Decomposition, Hull, shipped_hull
from core.thresholds import (
    CHARGED_HULL_EV_PER_ATOM,
    DISCHARGED_HULL_EV_PER_ATOM,
    FAR_BELOW_HULL_EV_PER_ATOM,
)

VERDICTS: Final = (
    "stable enough", "charged end unstable", "discharged end unstable", "converts first", "unclear",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EndStability:
    """One end: energy above the hull and its standard error, eV/atom, and what it would rather be.

    `std_ev_per_atom` is None for a value that the source states. Negative is below the hull that is known here.
    """

    formula: str
    e_above_hull_ev_per_atom: float
    std_ev_per_atom: float | None
    by_potential_ev_per_atom: float
    products: Decomposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Both ends, and insertion against conversion, in V against the ion's metal.

    `conversion_voltage_v`: below it the discharged host turns into `conversion_products` with more of the metal.
    `insertion_window_v`: `insertion_voltage_v` less that. `full_conversion_voltage_v`: of the charged host and its ions
    into the equilibrium at the discharged composition; it is above the insertion voltage by what the discharged end is
    above the hull.
    """

    charged: EndStability
    discharged: EndStability
    insertion_voltage_v: float
    conversion_voltage_v: float
    conversion_products: Decomposition | None
    conversion_ions: float | None
    full_conversion_voltage_v: float

    @property
    def insertion_window_v(self) -> float:
        """Volts between insertion and conversion; negative where the host converts first."""
        return self.insertion_voltage_v - self.conversion_voltage_v

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`: "unclear" where a limit lies within one standard error, or an end far below the hull."""
        judged = (
            ("charged end unstable", self.charged, CHARGED_HULL_EV_PER_ATOM),
            ("discharged end unstable", self.discharged, DISCHARGED_HULL_EV_PER_ATOM),
        )
        if min(end.e_above_hull_ev_per_atom for _, end, _ in judged) < -FAR_BELOW_HULL_EV_PER_ATOM:
            return "unclear"
        for words, end, limit in judged:
            if end.e_above_hull_ev_per_atom - (end.std_ev_per_atom or 0.0) > limit:
                return words
        if self.insertion_window_v < 0.0:
            return "converts first"
        if any(
            end.e_above_hull_ev_per_atom + (end.std_ev_per_atom or 0.0) > limit for _, end, limit in judged
        ):
            return "unclear"
        return "stable enough"

    @property
    def reason(self) -> str:
        """The numbers behind the verdict in three sentences."""
        window = self.insertion_window_v
        becomes = (
            f"below {self.conversion_voltage_v:.2f} V more metal would turn it into {self.conversion_products}"
            if self.conversion_products
            else "no amount of metal turns it into other phases"
        )
        return (
            f"Charged {_words(self.charged, CHARGED_HULL_EV_PER_ATOM)}. Discharged "
            f"{_words(self.discharged, DISCHARGED_HULL_EV_PER_ATOM)}. Ions go in at {self.insertion_voltage_v:.2f} V; "
            f"{becomes}: a window of {window:.2f} V."
        )


def assess(
    discharged: Mapping[str, float], discharged_ev: float, charged: Mapping[str, float], charged_ev: float,
    working_ion: str, *, energy_scale: str, stated_e_above_hull_ev_per_atom: float | None = None,
    hull: Hull | None = None, model: FormationModel | None = None,
) -> Stability:  # fmt: skip
    """Return the stability of a host's two ends from the relaxed energies (eV) of their cells by one potential.

    `discharged`, `charged`: atoms of the cells by element; the host's atoms must be the same. `energy_scale`: of the
    potential, from its card. Hull and fit are those shipped unless given. Raises `HullError` for ends that are not of
    one host, and as `FormationModel.predict` and `Hull.decompose` do; `UnknownIonError` for an ion without a charge.
    """
    z = charge_number(working_ion)
    hull, model = hull or shipped_hull(), model or shipped_formation_model()
    n_ions = _ions_between(discharged, charged, working_ion)
    full = model.predict(discharged, discharged_ev, energy_scale)
    empty = model.predict(charged, charged_ev, energy_scale)
    full_ev = full.value_ev_per_atom * sum(discharged.values())
    empty_ev = empty.value_ev_per_atom * sum(charged.values())
    further: Conversion = conversion(hull, discharged, working_ion, z)
    first = further.first
    return Stability(
        charged=_end(hull, charged, empty, None),
        discharged=_end(hull, discharged, full, stated_e_above_hull_ev_per_atom),
        insertion_voltage_v=(empty_ev - full_ev) / (n_ions * z),
        conversion_voltage_v=further.voltage_v,
        conversion_products=None if first is None else first.products,
        conversion_ions=None if first is None else first.ions,
        full_conversion_voltage_v=full_conversion_voltage_v(hull, empty_ev, discharged, n_ions, z),
    )


def _end(
    hull: Hull, composition: Mapping[str, float], energy: FormationEnergy, stated: float | None
) -> EndStability:
    from pymatgen.core import Composition

    found = hull.decompose(composition)
    own = energy.value_ev_per_atom - found.energy_ev_per_atom
    return EndStability(
        formula=str(Composition(dict(composition)).reduced_formula),
        e_above_hull_ev_per_atom=own if stated is None else stated,
        std_ev_per_atom=energy.std_ev_per_atom if stated is None else None,
        by_potential_ev_per_atom=own, products=found,
    )  # fmt: skip


def _ions_between(discharged: Mapping[str, float], charged: Mapping[str, float], working_ion: str) -> float:
    n_ions = discharged.get(working_ion, 0.0) - charged.get(working_ion, 0.0)
    hosts = [Counter({k: n for k, n in end.items() if k != working_ion}) for end in (discharged, charged)]
    if n_ions <= 0 or hosts[0] != hosts[1]:
        raise HullError(
            f"{dict(discharged)} and {dict(charged)} are not two states of one host that differ in {working_ion}; give "
            "the cells of both, the discharged one first."
        )
    return n_ions


def _words(end: EndStability, limit: float) -> str:
    above = end.e_above_hull_ev_per_atom
    if above < -(end.std_ev_per_atom or 0.005):
        place = f"{-1000 * above:.0f} meV/atom below the hull known here"
    elif above <= 0.0:
        place = "on the hull"
    else:
        place = f"{1000 * above:.0f} meV/atom above the hull (up to {1000 * limit:.0f} may hold)"
    error = "as the source states" if end.std_ev_per_atom is None else f"± {1000 * end.std_ev_per_atom:.0f}"
    rather = f", rather {end.products}" if above > 0.0 and len(end.products.products) > 1 else ""
    return f"{end.formula} is {place}, {error}{rather}"
