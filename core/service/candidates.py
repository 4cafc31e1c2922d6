"""Everything that is known of one candidate, and the names by which candidates are looked up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.errors import StoreError
from core.records import Crystal
from core.store import Reader, Release


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """One candidate of a release with all that the release knows of it.

    `row`: its row of the view `screening`. `nearest`: labelled electrodes, nearest first. `conductivities`: all results
    of molecular dynamics, hottest first. `provenance`: who predicted its voltage; None, with the reason in
    `provenance_error`, where the release does not hold it.
    """

    row: Mapping[str, Any]
    crystal: Crystal
    nearest: pd.DataFrame
    conductivities: pd.DataFrame
    provenance: Mapping[str, Any] | None
    provenance_error: str | None
    release: Release

    def as_dict(self) -> dict[str, Any]:
        """Return all of it by name; absent numbers are None."""
        return {
            "structure": self.crystal.to_dict(),
            "figures": dict(self.row),
            "nearest_electrodes": records(self.nearest),
            "conductivities": records(self.conductivities),
            "provenance": self.provenance,
            "release": {
                "version": self.release.version,
                "created": self.release.created,
                "sha256": self.release.sha256,
            },
        }

    def json(self) -> str:
        """Return all of it as JSON text."""
        return json.dumps(self.as_dict(), indent=1, default=str, allow_nan=False)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as JSON holds them; absent numbers are None."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    return rows


def candidate(reader: Reader, id: str) -> Candidate:
    """Return a candidate; raise `UnknownCandidateError` for an id that the release does not hold."""
    row = reader.candidate(id)
    provenance, provenance_error = _provenance(reader, row["provenance_id"])
    return Candidate(
        row=row,
        crystal=reader.crystal(id),
        nearest=reader.nearest_electrodes(id),
        conductivities=reader.conductivities(id),
        provenance=provenance,
        provenance_error=provenance_error,
        release=reader.release,
    )


def _provenance(reader: Reader, provenance_id: str) -> tuple[dict[str, Any] | None, str | None]:
    try:
        return reader.provenance(provenance_id), None
    except StoreError as error:
        return None, str(error)


def ids(reader: Reader) -> frozenset[str]:
    """Return the ids of all candidates."""
    return frozenset(reader.screen(columns=("id",))["id"])


def names(reader: Reader) -> dict[str, str]:
    """Return formula and id of every candidate by its id, in order of formulas, for search boxes."""
    table = reader.screen(columns=("id", "formula"))
    pairs = sorted(zip(table["formula"], table["id"], strict=True))
    return {id: f"{formula} · {id}" for formula, id in pairs}


def examples(reader: Reader, n: int) -> dict[str, str]:
    """Return formulas by id of `n` candidates whose voltage is also known by calculation, the highest first."""
    table = reader.screen(columns=("id", "formula", "mp_average_voltage_v", "capacity_vol_ah_per_l"))
    known = table.dropna().sort_values("mp_average_voltage_v", ascending=False).drop_duplicates("formula")
    return dict(zip(known["id"].head(n), known["formula"].head(n), strict=True))
