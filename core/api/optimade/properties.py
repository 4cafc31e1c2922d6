"""What an entry has: OPTIMADE's properties of a structure, and ours with the prefix `_mgc_`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.quantities import QUANTITIES
from core.records import Crystal
from core.service.release import Reader

PREFIX: Final = "mgc"
Type = Literal["string", "integer", "float", "timestamp", "list", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property; only those that `is_queryable` stand in the rows that a filter looks at."""

    type: Type
    description: str
    unit: str | None = None
    is_queryable: bool = True


def _ours(name: str, type: Type = "float") -> Property:
    quantity = QUANTITIES[name]
    return Property(type=type, description=quantity.help or quantity.label, unit=quantity.unit or None)


OURS: Final[Mapping[str, Type]] = {
    "voltage_v": "float", "voltage_std_v": "float", "capacity_vol_ah_per_l": "float",
    "capacity_redox_vol_ah_per_l": "float", "capacity_grav_mah_per_g": "float", "e_above_hull_ev_per_atom": "float",
    "barrier_ev": "float", "sigma_ms_per_cm": "float", "mp_average_voltage_v": "float", "in_domain": "boolean",
    "spacegroup": "string", "source": "string", "license": "string",
}  # fmt: skip
"""Columns of the screening that are given under the prefix."""

_NOT_GIVEN: Final[Mapping[str, Type]] = {
    "immutable_id": "string", "chemical_formula_hill": "string", "assemblies": "list",
    "space_group_it_number": "integer",
    "space_group_symbol_hall": "string", "space_group_symbol_hermann_mauguin": "string",
    "space_group_symbol_hermann_mauguin_extended": "string", "space_group_symmetry_operations_xyz": "list",
}  # fmt: skip
"""Optional properties of the specification that clients may ask for."""

PROPERTIES: Final[Mapping[str, Property]] = {
    "id": Property(type="string", description="Id of the structure at its source."),
    "type": Property(type="string", description="Always `structures`."),
    "last_modified": Property(type="timestamp", description="When the release that holds it was made."),
    "elements": Property(type="list", description="Symbols of its elements, in alphabetical order."),
    "nelements": Property(type="integer", description="Number of elements."),
    "elements_ratios": Property(type="list", description="Share of each element, in their order."),
    "chemical_formula_descriptive": Property(type="string", description="Formula as the source writes it."),
    "chemical_formula_reduced": Property(type="string", description="Reduced formula, elements in alphabetical order."),
    "chemical_formula_anonymous": Property(type="string", description="Formula with A, B, C for elements, most first."),
    "nperiodic_dimensions": Property(type="integer", description="Always 3."),
    "dimension_types": Property(type="list", description="Always 1, 1, 1: periodic in all directions."),
    "nsites": Property(type="integer", description="Atoms in the cell."),
    "structure_features": Property(type="list", description="Always empty: ordered crystals, all atoms placed."),
    "lattice_vectors": Property(type="list", description="Lattice vectors as rows.", unit="Å", is_queryable=False),
    "cartesian_site_positions": Property(type="list", description="Places of atoms.", unit="Å", is_queryable=False),
    "species": Property(type="list", description="What may stand on a site.", is_queryable=False),
    "species_at_sites": Property(type="list", description="Species of each site.", is_queryable=False),
    **{name: Property(type=type, description="Not given here: always null.") for name, type in _NOT_GIVEN.items()},
    **{f"_{PREFIX}_{name}": _ours(name, type) for name, type in OURS.items()},
}  # fmt: skip

Row = dict[str, Any]


def rows_of(reader: Reader) -> list[Row]:
    """Return the queryable properties of every candidate of a release, in order of ids; absent figures are None."""
    from pymatgen.core import Composition

    created = reader.release.created.replace("+00:00", "Z")
    stamp = created if created.endswith("Z") else f"{created}Z"
    frame = reader.screen(columns=("id", "formula", "n_sites", *OURS)).astype(object)
    rows = []
    for row in frame.where(frame.notna(), None).to_dict("records"):
        counts = {
            str(key): int(value) for key, value in Composition(row["formula"]).reduced_composition.items()
        }
        elements = sorted(counts)
        total = sum(counts.values())
        rows.append({
            "id": row["id"], "type": "structures", "last_modified": stamp, "elements": elements,
            "nelements": len(elements), "elements_ratios": [counts[it] / total for it in elements],
            "chemical_formula_descriptive": row["formula"],
            "chemical_formula_reduced": "".join(_counted(it, counts[it]) for it in elements),
            "chemical_formula_anonymous": _anonymous(list(counts.values())),
            "nperiodic_dimensions": 3, "dimension_types": [1, 1, 1], "nsites": int(row["n_sites"]),
            "structure_features": [], **dict.fromkeys(_NOT_GIVEN), **{f"_{PREFIX}_{name}": row[name] for name in OURS},
        })  # fmt: skip
    return rows


def arrays_of(crystal: Crystal) -> Row:
    """Return the properties of a crystal that no filter asks for: cell, places and species of all atoms."""
    elements = sorted(set(crystal.species))
    return {
        "lattice_vectors": crystal.lattice_a.tolist(),
        "cartesian_site_positions": (crystal.frac @ crystal.lattice_a).tolist(),
        "species": [{"name": it, "chemical_symbols": [it], "concentration": [1.0]} for it in elements],
        "species_at_sites": list(crystal.species),
    }


def _counted(name: str, count: int) -> str:
    return name if count == 1 else f"{name}{count}"


def _anonymous(counts: list[int]) -> str:
    """A, B, ..., Z, Aa, Ba, ... in order of falling counts."""
    names = [
        chr(ord("A") + i % 26) + ("" if i < 26 else chr(ord("a") + i // 26 - 1)) for i in range(len(counts))
    ]
    return "".join(
        _counted(name, count) for name, count in zip(names, sorted(counts, reverse=True), strict=True)
    )
