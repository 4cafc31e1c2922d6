"""An ordered crystal structure, and its ways to other libraries and to files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RecordError
from core.records.checks import finite

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Crystal:
    """An ordered crystal structure with where it came from.

    `lattice_a`: (3, 3) lattice vectors as rows, angstrom. `frac`: (n_sites, 3) fractional coordinates.
    `species`: n_sites element symbols. Optional figures are None where the source does not state them.
    """

    id: str
    formula: str
    lattice_a: FloatArray
    species: tuple[str, ...]
    frac: FloatArray
    source: str
    license: str = "unknown"
    spacegroup: str | None = None
    e_above_hull_ev_per_atom: float | None = None
    working_ion: str | None = None

    def __post_init__(self) -> None:
        if self.lattice_a.shape != (3, 3) or self.frac.shape != (len(self.species), 3):
            raise RecordError(
                f"{self.id}: lattice {self.lattice_a.shape} and coordinates {self.frac.shape} must be (3, 3) and "
                f"({len(self.species)}, 3)."
            )
        if not self.species:
            raise RecordError(f"{self.id}: a crystal needs at least one site.")
        if not (np.isfinite(self.lattice_a).all() and np.isfinite(self.frac).all()):
            raise RecordError(f"{self.id}: lattice or coordinates hold NaN or infinity.")
        if self.volume_a3 < 1e-3:
            raise RecordError(
                f"{self.id}: cell volume {self.volume_a3:.3g} cubic angstrom; it must be positive."
            )
        finite(self.id, e_above_hull_ev_per_atom=self.e_above_hull_ev_per_atom)

    @property
    def n_sites(self) -> int:
        """Number of sites in the cell."""
        return len(self.species)

    @cached_property
    def volume_a3(self) -> float:
        """Cell volume, cubic angstrom."""
        return float(abs(np.linalg.det(self.lattice_a)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of formula, cell and sites: equal for equal pictures, whatever the ids."""
        parts = (
            self.formula.encode(),
            self.lattice_a.tobytes(),
            self.frac.tobytes(),
            " ".join(self.species).encode(),
        )
        return hashlib.sha256(b"|".join(parts)).hexdigest()

    def count(self, element: str) -> int:
        """Return how many sites of the cell hold `element`."""
        return self.species.count(element)

    def same_structure(self, other: "Crystal", *, tolerance: float = 1e-4) -> bool:
        """Return whether the same sites stand in the same cell, in the same order: within angstrom and fractions."""
        return (
            self.species == other.species
            and np.allclose(self.lattice_a, other.lattice_a, rtol=0.0, atol=tolerance)
            and np.allclose(self.frac, other.frac, rtol=0.0, atol=tolerance)
        )

    def to_pymatgen(self) -> "Structure":
        """Return the same crystal as a pymatgen `Structure`."""
        from pymatgen.core import Structure

        return Structure(self.lattice_a, list(self.species), self.frac)

    def to_ase(self) -> "Atoms":
        """Return the same crystal as ASE's `Atoms`, periodic in all directions."""
        from ase import Atoms

        return Atoms(self.species, cell=self.lattice_a, scaled_positions=self.frac, pbc=True)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Crystal":
        """Read what `to_dict` returns, or a line of the data; raise `RecordError` for another form."""
        try:
            return cls(
                id=fields["id"],
                formula=fields["formula"],
                lattice_a=np.array(fields["lattice"], dtype=float),
                species=tuple(fields["species"]),
                frac=np.array(fields["frac"], dtype=float).reshape(-1, 3),
                source=fields["source"],
                license=fields.get("license", "unknown"),
                e_above_hull_ev_per_atom=fields.get("e_above_hull"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"A crystal cannot be read ({type(error).__name__}: {error}).") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Tell `core.codec` how a crystal within another record is written and read: with a stated hull energy."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda given: given if isinstance(given, cls) else cls.from_dict(given),
            serialization=core_schema.plain_serializer_function_ser_schema(cls._within_a_record),
        )

    def _within_a_record(self) -> dict[str, Any]:
        above = self.e_above_hull_ev_per_atom
        return self.to_dict() | ({} if above is None else {"e_above_hull": above})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-lines form of the data README and the licence."""
        return {
            "id": self.id,
            "formula": self.formula,
            "nsites": self.n_sites,
            "lattice": self.lattice_a.tolist(),
            "species": list(self.species),
            "frac": self.frac.tolist(),
            "source": self.source,
            "license": self.license,
        }

    def to_cif(self) -> str:
        """Return the crystal as CIF text without symmetry (P 1), headed by its id, source and licence."""
        from pymatgen.io.cif import CifWriter

        header = (("id", self.id), ("source", self.source), ("licence", self.license))
        comments = "".join(f"# {name}: {' '.join(text.split())}\n" for name, text in header)
        return comments + str(CifWriter(self.to_pymatgen()))
