"""Measured magnesium cathodes: what candidates are held against, each from a text that states the number.

What a source does not state is None or an empty text, never a guess. Voltages are of cells with current flowing: they
hold polarisation, and most cells turn round only a part of what the structure could take.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pymatgen.core import Composition

from core.errors import RecordError

_ION: Final = "Mg"


@dataclass(frozen=True, kw_only=True)
class Landmark:
    """A measured cathode.

    `weighed`: formula whose mass the capacity is given by, as it went into the cell. `reaction`: what was measured.
    `voltage_v`: average or plateau against Mg. `electrolyte`, `temperature_k`: of the measurement, where stated.
    `doi`: of the text that states the numbers. `discharged_id`: the discharged structure in Materials Project, where
    one is known that is what the cell makes.
    """

    name: str
    structure: str
    weighed: str
    reaction: str
    doi: str
    voltage_v: float | None = None
    capacity_grav_mah_per_g: float | None = None
    electrolyte: str = ""
    temperature_k: float | None = None
    remark: str = ""
    discharged_id: str | None = None

    @cached_property
    def host(self) -> Composition:
        """What was weighed, without its magnesium."""
        return Composition({el: n for el, n in Composition(self.weighed).items() if el.symbol != _ION})


def capacity_vol_ah_per_l(landmark: Landmark, discharged: str, density_g_per_cm3: float) -> float | None:
    """Return the measured capacity a litre of discharged crystal, q rho m_weighed / m_discharged, in Ah/L.

    `discharged`: formula of the discharged structure, which must hold the same host (`RecordError`); both masses are
    for one host. Unknown where the capacity is.
    """
    cell = Composition(discharged)
    host = Composition({element: n for element, n in cell.items() if element.symbol != _ION})
    if host.reduced_formula != landmark.host.reduced_formula:
        raise RecordError(
            f"{discharged} is no discharged {landmark.name}: its host is {host.reduced_formula}."
        )
    if landmark.capacity_grav_mah_per_g is None:
        return None
    hosts = host.num_atoms / landmark.host.num_atoms
    share = hosts * Composition(landmark.weighed).weight / cell.weight
    return float(landmark.capacity_grav_mah_per_g * density_g_per_cm3 * share)


_ROOM_K: Final = 298.0

LANDMARKS: Final = (
    Landmark(
        name="Mo6S8", structure="Chevrel phase", weighed="Mo6S8", reaction="Mg into Mo6S8",
        doi="10.1038/s41467-017-00431-9", voltage_v=1.0, capacity_grav_mah_per_g=100.0,
        electrolyte="Mg organohaloaluminate in THF",
        remark="The benchmark: first cell with 2,000 cycles by Aurbach et al., Nature 407, 724 (2000).",
        discharged_id="mp-677217",
    ),
    Landmark(
        name="Ti2S4", structure="Spinel", weighed="Ti2S4", reaction="Mg into Ti2S4", doi="10.1039/C6EE00724D",
        voltage_v=1.2, capacity_grav_mah_per_g=191.0, temperature_k=333.0,
        remark="From the stated 80 % of the theoretical capacity at C/5, and 230 Wh/kg.", discharged_id="mvc-27",
    ),
    Landmark(
        name="TiS2", structure="Layered", weighed="TiS2", reaction="Mg into TiS2", doi="10.1038/s41467-017-00431-9",
        capacity_grav_mah_per_g=160.0, temperature_k=333.0,
        remark="115 mAh/g remain in cycling: Sun et al., ACS Energy Letters 1, 297 (2016).",
    ),
    Landmark(
        name="V2O5", structure="Layered (α), thin film", weighed="V2O5", reaction="Mg into V2O5",
        doi="10.1021/la402391f", capacity_grav_mah_per_g=165.0,
        remark="150 to 180 mAh/g. Disputed: in wet electrolytes protons enter (10.1021/acs.inorgchem.7b00204).",
        discharged_id="mvc-11960",
    ),
    Landmark(
        name="MoO3", structure="Layered, thin film", weighed="MoO3", reaction="Mg into MoO3",
        doi="10.1021/la402391f", capacity_grav_mah_per_g=220.0, remark="At more than 95 % efficiency.",
        discharged_id="mvc-15644",
    ),
    Landmark(
        name="MgMn2O4", structure="Spinel", weighed="MgMn2O4", reaction="Mg out of MgMn2O4",
        doi="10.1002/advs.201500072", voltage_v=3.4, temperature_k=423.0,
        remark="Only to some extent; extraction and insertion at about the same potential.",
        discharged_id="mp-32006",
    ),
    Landmark(
        name="MgMn2O4, one more Mg", structure="Spinel to rock salt", weighed="MgMn2O4",
        reaction="Mg into MgMn2O4", doi="10.1002/advs.201500072", voltage_v=2.3, temperature_k=423.0,
        remark="Mg goes in and pushes the tetrahedral Mg to octahedral sites.",
    ),
    Landmark(
        name="MgMn2O4, nanocrystals", structure="Cubic spinel to rock salt", weighed="MgMn2O4",
        reaction="Mg in and out of MgMn2O4", doi="10.1021/acsnano.2c12392", capacity_grav_mah_per_g=270.0,
        temperature_k=_ROOM_K, remark="Below 2.5 nm, more than 500 m²/g; turns to rock salt and back.",
    ),
    Landmark(
        name="MgCo2O4, one more Mg", structure="Spinel to rock salt", weighed="MgCo2O4",
        reaction="Mg into MgCo2O4", doi="10.1002/advs.201500072", voltage_v=2.9, temperature_k=423.0,
        remark="Co(III) to Co(II).",
    ),
    Landmark(
        name="MgCr2O4", structure="Spinel", weighed="MgCr2O4", reaction="Mg out of MgCr2O4",
        doi="10.1002/advs.201500072", voltage_v=3.4, temperature_k=423.0, remark="Only to some extent.",
        discharged_id="mp-19202",
    ),
    Landmark(
        name="MgV2O4", structure="Spinel", weighed="MgV2O4", reaction="Mg in and out of MgV2O4",
        doi="10.1039/d5ta09602b", voltage_v=2.0, capacity_grav_mah_per_g=175.0,
        remark="Solvothermal; milled powder, whose sites are disordered, cycles poorly.", discharged_id="mp-18900",
    ),
    Landmark(
        name="MgFeSiO4", structure="Ion-exchanged", weighed="MgFeSiO4",
        reaction="Mg out of MgFeSiO4", doi="10.1038/srep05622", voltage_v=2.4, capacity_grav_mah_per_g=300.0,
        electrolyte="Mg(TFSI)2 in triglyme",
        remark="Disputed: others found no such capacity in the olivine, J. Power Sources 321, 76 (2016).",
    ),
)  # fmt: skip
"""All of them, the benchmark first, then sulfides, layered oxides, spinels, silicate."""
