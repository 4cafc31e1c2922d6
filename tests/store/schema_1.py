"""A small release of schema 1, as the explorer's first version wrote them."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa

from core.provenance import sha256_of_file
from core.store import rows
from tests.store.small_release import DATA_SHA256, MODEL_SHA256, conductivity, crystals, electrode, prediction

_SCHEMA = Path(__file__).with_name("schema_1.sql")
_ON_STRUCTURES = ("id", "lattice_a", "species", "frac")
_NOT_YET = ("origin", "parent_id")


def old_tables() -> dict[str, list[dict[str, object]]]:
    """The rows of each table, in the order in which they refer to each other."""
    made = [rows.structure_row(it, "source") | rows.candidate_row(it, "Mg") for it in crystals()]
    source, voltage, mlmd = (
        {"id": id, "kind": kind, "model_name": model, "model_sha256": None, "data_sha256": None, "seed": seed,
         "device": "cpu", "code_version": "0.1.0", "versions": json.dumps({"duckdb": "1"}), "machine": "x86_64",
         "created": "2026-01-01T00:00:00+00:00"}
        for id, kind, model, seed in (
            ("a" * 12, "source", None, None), ("b" * 12, "voltage", "old-model", 7), ("c" * 12, "mlmd", "nequip", None)
        )
    )  # fmt: skip
    limit = conductivity(
        "run-2", "mp-1", verdict="upper limit", d_cm2_per_s=None, sigma_ms_per_cm=None, d_low_cm2_per_s=None,
        sigma_low_ms_per_cm=None,
    )  # fmt: skip
    capacity = {"capacity_vol_ah_per_l": 900.0, "capacity_grav_mah_per_g": 270.0,
                "capacity_redox_vol_ah_per_l": None, "capacity_redox_grav_mah_per_g": None}  # fmt: skip
    release = {"version": "20260101T000000Z", "schema_version": 1, "created": "2026-01-01T00:00:00+00:00",
               "code_version": "0.1.0", "model_name": "old-model", "model_sha256": MODEL_SHA256,
               "data_sha256": DATA_SHA256}  # fmt: skip
    tables = {
        "provenance": ([source, voltage, mlmd], None),
        "structures": ([{name: row[name] for name in _ON_STRUCTURES} for row in made], source),
        "candidates": (
            [
                {name: row[name] for name in row if name not in (*_ON_STRUCTURES[1:], *_NOT_YET)}
                for row in made
            ],
            source,
        ),
        "voltage_predictions": (
            [
                {
                    name: value
                    for name, value in rows.prediction_row(prediction(it), "").items()
                    if name != "model"
                }
                for it in crystals()
            ],
            voltage,
        ),
        "capacities": ([{"id": it.id, **capacity} for it in crystals()], source),
        "conductivities": (
            [
                {name: getattr(it, name) for name in it.__dataclass_fields__}
                for it in (conductivity("run-1", "mp-2"), limit)
            ],
            mlmd,
        ),
        "electrodes": (
            [
                {name: getattr(it, name) for name in it.__dataclass_fields__}
                for it in (electrode("b-1", "mp-32006"),)
            ],
            source,
        ),
        "nearest_electrodes": ([{"id": "mp-2", "rank": 1, "battery_id": "b-1", "distance": 0.5}], voltage),
        "skipped": ([{"id": "mp-7", "reason": "duplicate"}] * 2, source),
        "release": ([release], None),
    }
    return {
        table: [row | ({"provenance_id": maker["id"]} if maker else {}) for row in made]
        for table, (made, maker) in tables.items()
    }


def make_old_release(folder: Path) -> Path:
    """Write database and manifest into a folder; return the database's path."""
    tables = old_tables()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"release-{tables['release'][0]['version']}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(_SCHEMA.read_text())
        for table, made in tables.items():
            connection.register("batch", pa.Table.from_pylist(made))
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch").fetchall()
    sign(folder, path)
    return path


def sign(folder: Path, path: Path) -> None:
    """Write the manifest of schema 1."""
    manifest = {
        "schema_version": 1, "version": path.stem.removeprefix("release-"), "file": path.name,
        "sha256": sha256_of_file(path), "size_bytes": path.stat().st_size, "created": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
