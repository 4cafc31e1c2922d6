"""Records as the rows of the schema: one function a table."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from core.oxidation import has_anion, redox_metals
from core.provenance import Provenance
from core.records import Capacity, Crystal
from core.store.filters import element_key

Row = dict[str, Any]

_MATERIALS_PROJECT = "https://materialsproject.org/materials/"
_GNOME = "https://github.com/google-deepmind/materials_discovery"


def source_url(id: str) -> str | None:
    """Return where a structure can be looked up by its id: its Materials Project page or GNoME's data set."""
    if id.startswith(("mp-", "mvc-")):
        return _MATERIALS_PROJECT + quote(id, safe="")
    return _GNOME if id.lower().startswith("gnome") else None


def provenance_row(provenance: Provenance) -> Row:
    """Return the row of `provenance`, its package versions as a JSON object."""
    row = asdict(provenance)
    return row | {"id": provenance.id, "versions": json.dumps(provenance.versions, sort_keys=True)}


def structure_row(crystal: Crystal) -> Row:
    """Return the row of `structures`: lattice and fractional coordinates flattened row by row."""
    return {
        "id": crystal.id,
        "lattice_a": crystal.lattice_a.ravel().tolist(),
        "species": list(crystal.species),
        "frac": crystal.frac.ravel().tolist(),
    }


def candidate_row(crystal: Crystal, working_ion: str) -> Row:
    """Return the row of `candidates`, with what filters ask for worked out once."""
    elements = sorted(set(crystal.species))
    return {
        "id": crystal.id,
        "formula": crystal.formula,
        "working_ion": working_ion,
        "source": crystal.source,
        "source_url": source_url(crystal.id),
        "license": crystal.license,
        "spacegroup": crystal.spacegroup,
        "n_sites": crystal.n_sites,
        "n_working_ions": crystal.count(working_ion),
        "volume_a3": crystal.volume_a3,
        "elements": elements,
        "chemsys": "-".join(elements),
        "element_key": element_key("-".join(elements)),
        "redox_metals": redox_metals(elements),
        "has_anion": has_anion(elements),
        "e_above_hull_ev_per_atom": crystal.e_above_hull_ev_per_atom,
    }


def capacity_rows(capacities: Mapping[str, Capacity]) -> Iterable[Row]:
    """Yield the rows of `capacities` from capacities by candidate id."""
    return ({"id": id, **asdict(capacity)} for id, capacity in capacities.items())


def nearest_rows(nearest: Mapping[str, Iterable[tuple[str, float]]]) -> Iterable[Row]:
    """Yield the rows of `nearest_electrodes` from (battery id, distance) pairs by candidate id, nearest first."""
    return (
        {"id": id, "rank": rank, "battery_id": battery_id, "distance": float(distance)}
        for id, pairs in nearest.items()
        for rank, (battery_id, distance) in enumerate(pairs, start=1)
    )
