"""`build` on a hand-made data folder: everything given comes out or is counted, and the old release makes way."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.build import DATA_FILES, build_release, data_sha256, nearest_electrodes, next_version
from core.errors import SourceError
from core.records import Crystal, Electrode
from core.store import open_reader
from core.voltage import load_voltage_model
from core.voltage.dataset import clean

ELECTRODE_FIELDS = {
    "average_voltage": "1.5", "formula_charge": "X", "id_charge": "none", "host_formula": "X", "voltage_check": "ok",
    "capacity_grav_mAh_g": "", "capacity_vol_Ah_L": "",
}  # fmt: skip


def rock_salt(id: str, cation: str, anion: str, half_a: float) -> dict[str, Any]:
    return {
        "id": id, "formula": cation + anion, "nsites": 2, "species": [cation, anion],
        "lattice": [[0, half_a, half_a], [half_a, 0, half_a], [half_a, half_a, 0]],
        "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "source": "GNoME" if id.startswith("GNoME") else "MP",
    }  # fmt: skip


OXIDE = rock_salt("mp-1", "Mg", "O", 2.105)
SULPHIDE = rock_salt("GNoME-2", "Mg", "S", 2.6)
LIME = rock_salt("mp-3", "Ca", "O", 2.4)
NO_ION = rock_salt("mp-4", "Fe", "O", 2.15)


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(record) + "\n" for record in records).encode()))


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    structures = [OXIDE, SULPHIDE, NO_ION, OXIDE | {"id": "mp-5"}]
    write_lines(folder / "mg_candidates.jsonl.gz", structures)
    write_table(
        folder / "mg_candidates.csv",
        [
            {
                "id": item["id"], "source": item["source"], "formula": item["formula"], "spacegroup": "Fm-3m",
                "e_above_hull": "0.01", "duplicate": str(item["id"] == "mp-5"),
            }
            for item in structures
        ],
    )  # fmt: skip
    write_lines(folder / "structures_electrodes.jsonl.gz", [OXIDE, LIME])
    write_table(
        folder / "electrodes.csv",
        [
            {"battery_id": "a", "working_ion": "Mg", "formula_discharge": "MgO", "id_discharge": "mp-1"}
            | ELECTRODE_FIELDS,
            {"battery_id": "b", "working_ion": "Ca", "formula_discharge": "CaO", "id_discharge": "mp-3"}
            | ELECTRODE_FIELDS,
        ],
    )
    return folder


def test_everything_given_comes_out_or_is_counted(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stages = []
    model = load_voltage_model()
    report = build_release(
        data, out, model, progress=lambda stage, done, total: stages.append((stage, done, total))
    )
    assert report.release.model_sha256 == model.sha256
    assert report.release.data_sha256 == data_sha256(data)
    assert sum(report.skipped_reasons.values()) == 2 and report.failed_predictions == {}
    assert any("FeO holds no Mg" in reason for reason in report.skipped_reasons)
    assert ("predict", 2, 2) in stages and ("graphs", 2, 2) in stages
    with open_reader(out) as reader:
        frame = reader.screen()
        assert list(frame["id"]) == ["GNoME-2", "mp-1"]
        assert list(frame["license"]) == ["CC BY-NC 4.0", "CC BY 4.0"]
        assert frame["voltage_v"].notna().all() and frame["sigma_ms_per_cm"].isna().all()
        nearest = reader.nearest_electrodes("mp-1")
        assert nearest["battery_id"][0] == "a" and nearest["distance"][0] < 1e-3
        assert reader.provenance(frame["provenance_id"][0])["model_sha256"] == model.sha256


def test_a_second_build_counts_on_and_removes_the_first(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model = load_voltage_model()
    first = build_release(data, out, model).release.version
    report = build_release(data, out, model)
    assert report.release.version != first
    assert [path.name for path in report.removed] == [f"release-{first}.duckdb"]
    assert next_version(out) not in {first, report.release.version}


def test_the_first_release_of_a_day_is_number_one(tmp_path: Path) -> None:
    assert next_version(tmp_path).endswith("-1")
    today = next_version(tmp_path).removesuffix("-1")
    (tmp_path / f"release-{today}-7.duckdb").touch()
    assert next_version(tmp_path) == f"{today}-8"


@pytest.mark.parametrize("name", DATA_FILES)
def test_an_absent_data_file_is_named(data: Path, name: str) -> None:
    (data / name).unlink()
    with pytest.raises(SourceError, match=name):
        data_sha256(data)


def test_no_more_neighbours_than_electrodes() -> None:
    crystal = Crystal(
        id="x", formula="MgO", lattice_a=np.array(OXIDE["lattice"]), species=("Mg", "O"),
        frac=np.array(OXIDE["frac"]), source="hand-made",
    )  # fmt: skip
    electrode = Electrode(
        battery_id="a", working_ion="Mg", average_voltage_v=1.0, formula_discharge="MgO", formula_charge="O",
        id_discharge="x", id_charge="y", host_formula="O", voltage_check="ok",
    )  # fmt: skip
    labelled = clean([electrode], {"x": crystal})
    found = nearest_electrodes([crystal], "Mg", labelled, load_voltage_model())
    assert [battery_id for battery_id, _ in found["x"]] == ["a"]
