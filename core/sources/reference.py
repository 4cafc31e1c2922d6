"""The reference data set: labelled electrodes with their structures, and the magnesium candidates to screen."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from core.errors import RecordError, SourceError
from core.records import Crystal, Electrode, FailedInput, Skipped
from core.sources.json_lines import read_json_lines

ELECTRODES: Final = "electrodes.csv"
ELECTRODE_STRUCTURES: Final = "structures_electrodes.jsonl.gz"
CANDIDATES: Final = "mg_candidates.csv"
CANDIDATE_STRUCTURES: Final = "mg_candidates.jsonl.gz"

CC_BY: Final = "CC BY 4.0"
CC_BY_NC: Final = "CC BY-NC 4.0"

DUPLICATE: Final = "duplicate of another candidate"
NO_STRUCTURE: Final = "no structure by this id"


def license_of(source: str) -> str:
    """Return the licence of a row by its source: GNoME is CC BY-NC 4.0, Materials Project and 3DSC CC BY 4.0."""
    if source.startswith("GNoME"):
        return CC_BY_NC
    return CC_BY if source.startswith("MP") else "unknown"


def read_structures(path: Path) -> Iterator[Crystal]:
    """Yield every structure of a JSON-lines file, with the licence of its source.

    Raises `SourceError` where the file is absent or a line holds no sound structure.
    """
    for item in read_json_lines(_present(path)):
        if isinstance(item, FailedInput):
            raise SourceError(
                f"{path}: {item.id}: {item.reason} The file is damaged; copy the data set again."
            )
        yield replace(item, license=license_of(item.source))


def read_electrodes(data_dir: Path) -> list[Electrode]:
    """Return the labelled electrodes: voltages in V against the working ion's metal, capacities in mAh/g and Ah/L.

    Raises `SourceError` where the table is absent, lacks a column or holds a label that is no number.
    """
    return [_electrode(row, data_dir / ELECTRODES) for row in _rows(data_dir / ELECTRODES)]


def read_electrode_structures(data_dir: Path) -> dict[str, Crystal]:
    """Return the charged and discharged structures of the electrodes by id; raise `SourceError` like its parts."""
    return {crystal.id: crystal for crystal in read_structures(data_dir / ELECTRODE_STRUCTURES)}


def read_candidates(data_dir: Path) -> tuple[list[Crystal], list[Skipped]]:
    """Return the unique magnesium candidates with space group and hull energy, and the rows left out with reasons.

    Raises `SourceError` where a file is absent or the table lacks a column.
    """
    structures, skipped = _structures_or_reasons(data_dir / CANDIDATE_STRUCTURES)
    table = data_dir / CANDIDATES
    kept = []
    for row in _rows(table):
        id = _cell(row, "id", table)
        if _cell(row, "duplicate", table).lower() == "true":
            skipped[id] = DUPLICATE
        elif id in structures:
            kept.append(_candidate(structures[id], row, table))
        else:
            skipped.setdefault(id, NO_STRUCTURE)
    return kept, [Skipped(id=id, reason=reason) for id, reason in skipped.items()]


def _structures_or_reasons(path: Path) -> tuple[dict[str, Crystal], dict[str, str]]:
    structures, reasons = {}, {}
    for item in read_json_lines(_present(path)):
        if isinstance(item, FailedInput):
            reasons[item.id] = item.reason
        else:
            structures[item.id] = item
    return structures, reasons


def _candidate(crystal: Crystal, row: dict[str, str], table: Path) -> Crystal:
    source = _cell(row, "source", table)
    return replace(
        crystal,
        formula=_cell(row, "formula", table),
        source=source,
        license=license_of(source),
        spacegroup=_cell(row, "spacegroup", table) or None,
        e_above_hull_ev_per_atom=_optional_number(row, "e_above_hull", table),
    )


def _electrode(row: dict[str, str], table: Path) -> Electrode:
    voltage_v = _optional_number(row, "average_voltage", table)
    texts: dict[str, Any] = {
        name: _cell(row, name, table)
        for name in (
            "battery_id", "working_ion", "formula_discharge", "formula_charge", "id_discharge", "id_charge",
            "host_formula", "voltage_check",
        )
    }  # fmt: skip
    if voltage_v is None:
        raise SourceError(f"{table}: {texts['battery_id']} has no average_voltage; copy the data set again.")
    try:
        return Electrode(
            **texts,
            average_voltage_v=voltage_v,
            capacity_grav_mah_per_g=_optional_number(row, "capacity_grav_mAh_g", table),
            capacity_vol_ah_per_l=_optional_number(row, "capacity_vol_Ah_L", table),
        )
    except RecordError as error:
        raise SourceError(f"{table}: {error} Copy the data set again.") from None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with _present(path).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _cell(row: dict[str, str], name: str, table: Path) -> str:
    value = row.get(name)
    if value is None:
        raise SourceError(f"{table} has no column {name!r}, or a row is cut; its README names the columns.")
    return value


def _optional_number(row: dict[str, str], name: str, table: Path) -> float | None:
    text = _cell(row, name, table)
    try:
        return float(text) if text else None
    except ValueError:
        raise SourceError(f"{table}: {name} is {text!r}; a number or nothing is needed.") from None


def _present(path: Path) -> Path:
    if not path.is_file():
        raise SourceError(
            f"{path} is not there. Put the reference data at {path.parent}, or name its folder "
            "(`--data FOLDER`, or the environment variable MGC_DATA)."
        )
    return path
