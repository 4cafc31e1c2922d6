"""Structures as JSON objects: the reference data's own form, and pymatgen's `Structure` dictionary.

No class named in the file is ever imported or called: only numbers and symbols are taken out of it.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from core.errors import StructureError
from core.ions import charge_number
from core.records import Crystal
from core.sources.text import quoted
from core.sources.validate import checked_crystal, checked_occupancy

_FORMULA: Final = re.compile(r"[A-Za-z0-9().]{1,120}")
_SPACEGROUP: Final = re.compile(r"[A-Za-z0-9/_-]{1,20}")
_LICENSE: Final = re.compile(r"[A-Za-z0-9 .-]{1,40}")
_SOURCE: Final = re.compile(r"[\w .,:()/+-]{1,80}")
_PYMATGEN_CLASSES: Final = ("Structure", "IStructure")


def loads(text: str) -> dict[str, Any]:
    """Return the JSON object of a text, or raise `StructureError`; a key that stands twice is named."""
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise StructureError(f"The text is no JSON: {_first_line(error)}.") from None
    if not isinstance(value, dict):
        raise StructureError(
            f"The JSON holds a {type(value).__name__}; one object with lattice, species and frac is needed. "
            "Several structures go into a .jsonl file, one a line."
        )
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with each key once: of two values the reader cannot know which one is meant."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise StructureError(
                f"The key {quoted(key)} stands twice in one object; keep the one that is meant."
            )
        found[key] = value
    return found


def crystal_from_dict(data: Mapping[str, Any], *, id: str, source: str, max_sites: int) -> Crystal:
    """Return the crystal of a JSON object with `lattice, species, frac`, or of pymatgen's `Structure.as_dict()`.

    A `formula` that is given is kept; `working_ion`, `spacegroup`, `e_above_hull`, `source` and `license` too.
    Raises `StructureError`, or `UnknownIonError` for a working ion that no labelled electrode has.
    """
    lattice, species, frac = _pymatgen_numbers(data) if "sites" in data else _own_numbers(data)
    return checked_crystal(
        id=id,
        lattice=lattice,
        species=species,
        frac=frac,
        max_sites=max_sites,
        formula=_label(data, "formula", _FORMULA),
        source=_label(data, "source", _SOURCE) or source,
        license=_label(data, "license", _LICENSE) or "unknown",
        spacegroup=_label(data, "spacegroup", _SPACEGROUP),
        e_above_hull_ev_per_atom=_hull_energy(data),
        working_ion=working_ion_of(data),
    )


def working_ion_of(data: Mapping[str, Any]) -> str | None:
    """Return the object's own working ion, None where it names none; raise `UnknownIonError` for a foreign one."""
    ion = data.get("working_ion")
    if ion is None:
        return None
    charge_number(ion if isinstance(ion, str) else quoted(ion))
    return str(ion)


def formula_of(data: Mapping[str, Any]) -> str | None:
    """Return the formula that the object states, None where there is none or it is not one."""
    return _label(data, "formula", _FORMULA)


def _own_numbers(data: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    missing = [name for name in ("lattice", "species", "frac") if name not in data]
    if missing:
        raise StructureError(
            f"The JSON object has no {', '.join(missing)}; needed are lattice (3 x 3, angstrom), species and frac."
        )
    return data["lattice"], data["species"], data["frac"]


def _pymatgen_numbers(data: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    name = data.get("@class", "Structure")
    module = data.get("@module", "pymatgen.core.structure")
    if name not in _PYMATGEN_CLASSES or not str(module).startswith("pymatgen."):
        raise StructureError(
            f"The JSON names the class {quoted(name)} of {quoted(module)}; only pymatgen's Structure is read."
        )
    lattice, sites = data.get("lattice"), data["sites"]
    if not isinstance(lattice, Mapping) or not isinstance(sites, list):
        raise StructureError(
            "The JSON is no pymatgen Structure: it needs lattice.matrix and a list of sites."
        )
    rows = [_pymatgen_site(site, row) for row, site in enumerate(sites, start=1)]
    return lattice.get("matrix"), [symbol for symbol, _ in rows], [position for _, position in rows]


def _pymatgen_site(site: Any, row: int) -> tuple[Any, Any]:
    species = site.get("species") if isinstance(site, Mapping) else None
    if not isinstance(species, list) or not species or not all(isinstance(item, Mapping) for item in species):
        raise StructureError(
            f"Site {row} of the JSON holds no list of species; write it with Structure.as_dict()."
        )
    if "abc" not in site:
        raise StructureError(f"Site {row} of the JSON has no fractional coordinates `abc`.")
    for item in species:
        occupancy = item.get("occu", 1)
        if not isinstance(occupancy, int | float):
            raise StructureError(f"Site {row} has the occupancy {quoted(occupancy)}; a number is needed.")
        checked_occupancy(float(occupancy), f"Site {row}")
    if len(species) > 1:
        raise StructureError(f"Site {row} holds {len(species)} species that are all there in full; keep one.")
    return species[0].get("element"), site["abc"]


def _label(data: Mapping[str, Any], key: str, pattern: re.Pattern[str]) -> str | None:
    """A text that only describes: one that does not look as it should is left out, never passed on."""
    value = data.get(key)
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _hull_energy(data: Mapping[str, Any]) -> float | None:
    value = data.get("e_above_hull")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise StructureError(f"e_above_hull is {quoted(value)}; a finite number in eV/atom is needed.")
    return float(value)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
