"""Records as the rows of the schema, and rows as records: one function a table and direction."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from core.codec import from_json, to_json
from core.errors import RecordError
from core.oxidation import has_anion, redox_metals
from core.provenance import Provenance
from core.records import CalculationRecord, Capacity, Conductivity, Crystal, VoltagePrediction
from core.store.filters import element_key

Row = dict[str, Any]

CONDUCTIVITY: Final = "conductivity"
"""The kind of calculation whose results the view `conductivities` shows as columns."""

_CALCULATION_COLUMNS: Final = (
    "key", "name", "kind", "version", "subject_id", "formula", "working_ion", "verdict", "created", "spec", "result",
)  # fmt: skip

_PREDICTION_COLUMNS: Final = (
    "id", "working_ion", "voltage_v", "voltage_std_v", "voltage_low_v", "voltage_high_v", "in_domain", "error",
)  # fmt: skip

_MATERIALS_PROJECT = "https://materialsproject.org/materials/"
_GNOME = "https://github.com/google-deepmind/materials_discovery"


def source_url(id: str) -> str | None:
    """Return where a structure can be looked up by its id: its Materials Project page or GNoME's data set."""
    if id.startswith(("mp-", "mvc-")):
        return _MATERIALS_PROJECT + quote(id, safe="")
    return _GNOME if id.lower().startswith("gnome") else None


def provenance_row(provenance: Provenance) -> Row:
    """Return the row of `provenance`, its package versions as a JSON object; its legs stay with the result."""
    row = asdict(provenance)
    del row["legs"]
    versions = json.dumps(provenance.versions, sort_keys=True)
    return row | {"id": provenance.id, "versions": versions, "seeds": list(provenance.seeds)}


def provenance_of(row: Row) -> Provenance:
    """Return the provenance of a row that `provenance_row` made."""
    fields = {name: row[name] for name in Provenance.__dataclass_fields__ if name in row}
    return Provenance(**fields | {"versions": json.loads(row["versions"]), "seeds": tuple(row["seeds"])})


def structure_row(crystal: Crystal, origin: str, parent_id: str | None = None) -> Row:
    """Return the row of `structures`, arrays flattened row by row, with what filters ask for worked out once."""
    elements = sorted(set(crystal.species))
    return {
        "id": crystal.id,
        "formula": crystal.formula,
        "origin": origin,
        "parent_id": parent_id,
        "source": crystal.source,
        "source_url": source_url(crystal.id),
        "license": crystal.license,
        "spacegroup": crystal.spacegroup,
        "e_above_hull_ev_per_atom": crystal.e_above_hull_ev_per_atom,
        "n_sites": crystal.n_sites,
        "volume_a3": crystal.volume_a3,
        "elements": elements,
        "chemsys": "-".join(elements),
        "element_key": element_key("-".join(elements)),
        "redox_metals": redox_metals(elements),
        "has_anion": has_anion(elements),
        "lattice_a": crystal.lattice_a.ravel().tolist(),
        "species": list(crystal.species),
        "frac": crystal.frac.ravel().tolist(),
    }


def crystal_of(row: Row) -> Crystal:
    """Return the crystal of a row of `structures`; its working ion where the row has one."""
    kept = ("id", "formula", "source", "license", "spacegroup", "e_above_hull_ev_per_atom")
    return Crystal(
        **{name: row[name] for name in kept},
        working_ion=row.get("working_ion"),
        lattice_a=np.array(row["lattice_a"], dtype=float).reshape(3, 3),
        species=tuple(row["species"]),
        frac=np.array(row["frac"], dtype=float).reshape(-1, 3),
    )


def candidate_row(crystal: Crystal, working_ion: str) -> Row:
    """Return the row of `candidates`."""
    return {
        "id": crystal.id,
        "working_ion": working_ion,
        "n_working_ions": crystal.count(working_ion),
    }


def prediction_row(prediction: VoltagePrediction, model: str) -> Row:
    """Return the row of `voltage_predictions`."""
    return {name: getattr(prediction, name) for name in _PREDICTION_COLUMNS} | {"model": model}


def capacity_rows(capacities: Mapping[str, Capacity], working_ion: str) -> Iterable[Row]:
    """Yield the rows of `capacities` from capacities by candidate id."""
    return ({"id": id, "working_ion": working_ion, **asdict(capacity)} for id, capacity in capacities.items())


def nearest_rows(
    nearest: Mapping[str, Iterable[tuple[str, float]]], working_ion: str, model: str
) -> Iterable[Row]:
    """Yield the rows of `nearest_electrodes` from (battery id, distance) pairs by candidate id, nearest first."""
    return (
        {
            "id": id, "working_ion": working_ion, "model": model, "rank": rank, "battery_id": battery_id,
            "distance": float(distance),
        }
        for id, pairs in nearest.items()
        for rank, (battery_id, distance) in enumerate(pairs, start=1)
    )  # fmt: skip


def calculation_row(record: CalculationRecord) -> Row:
    """Return the row of `calculations`, without its provenance.

    Raises `RecordError` for what JSON cannot hold, and for a result that the columns of its kind cannot hold.
    """
    if record.kind == CONDUCTIVITY:
        conductivity_of(record)
    row = {name: getattr(record, name) for name in _CALCULATION_COLUMNS}
    try:
        texts = {name: json.dumps(dict(row[name]), allow_nan=False) for name in ("spec", "result")}
    except (TypeError, ValueError) as error:
        raise RecordError(f"Calculation {record.name} cannot be written as JSON: {error}.") from None
    return row | texts


def file_rows(record: CalculationRecord) -> Iterable[Row]:
    """Yield the rows of `calculation_files`."""
    return ({"key": record.key, "name": name, "content": content} for name, content in record.files.items())


def calculation_of(row: Row, provenance: Provenance) -> CalculationRecord:
    """Return the record of a row of `calculations`, without its files."""
    texts = {name: json.loads(row[name]) for name in ("spec", "result")}
    return CalculationRecord(
        **{name: row[name] for name in _CALCULATION_COLUMNS} | texts, provenance=provenance
    )


def conductivity_of(record: CalculationRecord) -> Conductivity:
    """Return the conductivity that a calculation of that kind holds; `RecordError` where it holds no sound one."""
    columns = Conductivity.__dataclass_fields__
    conductivity = from_json(
        Conductivity, {name: value for name, value in record.result.items() if name in columns}
    )
    stated = (record.name, record.subject_id, record.working_ion, record.verdict, record.created)
    if stated != (
        conductivity.run_id, conductivity.id, conductivity.working_ion, conductivity.verdict, conductivity.created,
    ):  # fmt: skip
        raise RecordError(
            f"Calculation {record.name}: name, subject, ion, verdict or time differ from those of its result."
        )
    return conductivity


def conductivity_record(
    conductivity: Conductivity, *, formula: str, provenance: Provenance, runs: Iterable[str]
) -> CalculationRecord:
    """Return a conductivity as a calculation; `runs`: the names of the simulations that it was pooled from."""
    stated = {"format": 1, "kind": CONDUCTIVITY, "version": 1}
    spec = {**stated, "runs": sorted(runs)}
    return CalculationRecord(
        key=hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest(), name=conductivity.run_id,
        kind=CONDUCTIVITY, version=1, subject_id=conductivity.id, formula=formula,
        working_ion=conductivity.working_ion, verdict=conductivity.verdict, created=conductivity.created,
        spec=spec, result={**stated, **to_json(conductivity)}, provenance=provenance,
    )  # fmt: skip
