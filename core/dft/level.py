"""The level of theory: what decides a first-principles energy besides the crystal, and how it is written out.

PBE (Perdew, Burke, Ernzerhof, doi:10.1103/PhysRevLett.77.3865) with a Hubbard U on the d shells of some metals in
oxides and fluorides, in the form of Dudarev and others (doi:10.1103/PhysRevB.57.1505), with the values of the Materials
Project.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from core.errors import RecordError

FUNCTIONAL: Final = "PBE"
HUBBARD: Final = ("materials-project", "none")
SPIN_STARTS: Final = ("lowest", "high", "low")
_WITH_U: Final = ("F", "O")
"""Most electronegative elements of the compounds whose metals get a U, as the Materials Project has it."""

_LIMITS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "ecut_ev": (100, 2000),
        "k_spacing_per_a": (0.05, 2),
        "smearing_ev": (0.001, 0.5),
        "force_ev_per_a": (0.005, 0.5),
    }
)


@dataclass(frozen=True, kw_only=True)
class Level:
    """How an energy is calculated. Energies of different levels are never subtracted from one another.

    `ecut_ev`: of the plane waves. `k_spacing_per_a`: longest step between k points, 2 pi included as in VASP's
    KSPACING; the grid holds the origin. `hubbard`: whose U. `smearing_ev`: width of Fermi and Dirac, energies
    extrapolated to zero. `spin`: the moments it starts from, ferromagnetic: high or low spin by d electrons; `lowest`
    tries both where Co and Ni could be either and keeps the lower energy. `relax`: whether ions and cell are relaxed at
    this level, to `force_ev_per_a`.

    Raises `RecordError` for a value out of range.
    """

    ecut_ev: float = 520.0
    k_spacing_per_a: float = 0.5
    hubbard: str = "materials-project"
    smearing_ev: float = 0.05
    spin: str = "lowest"
    relax: bool = False
    force_ev_per_a: float = 0.05

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise RecordError(f"{name} is {getattr(self, name)}; {low:g} to {high:g} is possible.")
        for name, known in (("hubbard", HUBBARD), ("spin", SPIN_STARTS)):
            if getattr(self, name) not in known:
                raise RecordError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(known)}.")

    def hubbard_u_ev(self, elements: Iterable[str]) -> dict[str, float]:
        """Return U in eV by element for a compound of these elements; empty for all but oxides and fluorides."""
        from pymatgen.core import Element

        present = sorted(set(elements))
        strongest = max(present, key=lambda symbol: float(Element(symbol).X or 0.0))
        if self.hubbard == "none" or strongest not in _WITH_U:
            return {}
        values = materials_project_u_ev()[strongest]
        return {symbol: values[symbol] for symbol in present if symbol in values}

    def words(self, elements: Iterable[str], engine: str) -> str:
        """Return the level in one line, for a compound of these elements."""
        values = self.hubbard_u_ev(elements)
        hubbard = ", ".join(f"U({symbol}) {u:g} eV" for symbol, u in values.items()) or "no U"
        return (
            f"{engine}, {FUNCTIONAL}, {hubbard}, plane waves to {self.ecut_ev:g} eV, k spacing "
            f"{self.k_spacing_per_a:g} per angstrom, Fermi-Dirac {self.smearing_ev:g} eV, "
            f"ferromagnetic start ({self.spin} spin)"
        )


@lru_cache(maxsize=1)
def materials_project_u_ev() -> Mapping[str, Mapping[str, float]]:
    """Return U in eV by most electronegative element, then by metal: `MPRelaxSet` of pymatgen holds them."""
    from pymatgen.io.vasp.sets import MPRelaxSet

    values: Mapping[str, Mapping[str, float]] = MPRelaxSet.CONFIG["INCAR"]["LDAUU"]
    return {anion: dict(metals) for anion, metals in values.items() if anion in _WITH_U}


def gpaw_setups(u_ev: Mapping[str, float]) -> dict[str, str]:
    """Return U as GPAW's `setups` takes it, always with three fields: shell, U, scale.

    The third, 0, turns off GPAW's own scaling of U to what lies within the PAW sphere; with two fields it is on, and
    MgCr2O4 comes out at 4.17 V instead of 3.70.
    """
    return {symbol: f":d,{u:g},0" for symbol, u in u_ev.items()}
