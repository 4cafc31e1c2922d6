"""`build` on a hand-made data folder: what is given comes out or is counted, and what was computed before is kept."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from core.build import build_release, nearest_electrodes
from core.cli import main
from core.errors import ReleaseDamagedError, SchemaVersionError, SourceError
from core.records import Crystal, Electrode
from core.sources.candidates import DATA_FILES, FileSource, ReferenceSource, data_sha256
from core.store import ReleaseWriter, differences, open_reader, read_manifest
from core.voltage import load_voltage_model
from core.voltage.dataset import clean
from tests.store.schema_1 import make_old_release
from tests.store.small_release import conductivity_calculation, spinel
from tests.store.test_calculations import toy

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
    model = load_voltage_model("fast")
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


def with_calculations(folder: Path) -> None:
    """Extend a release by a conductivity and by a calculation about a structure that is no candidate."""
    with ReleaseWriter(folder, extend=True) as writer:
        made_by = writer.add_provenance(toy().provenance)
        writer.add_structures([spinel()], origin="literature", provenance_id=made_by)
        pooled = conductivity_calculation("run-1", "mp-1", simulated_ps=18.0)
        writer.add_calculations([toy(subject_id=spinel().id), pooled])
        writer.publish()


def table_rows(folder: Path) -> dict[str, list[str]]:
    """Every row of every table but `release`, without what tells the time."""
    with open_reader(folder) as reader:
        path = reader.path
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        return {
            name: sorted(
                str({**row, "created": ""})
                for row in connection.execute(f"FROM {name}").fetchdf().to_dict("records")
            )
            for name in names
            if name != "release"
        }


def test_a_rebuild_keeps_what_was_computed(data: Path, tmp_path: Path) -> None:
    """Before, a build began with an empty database: 41 conductivities were lost at once, and the old file with them."""
    out = tmp_path / "out"
    model = load_voltage_model("fast")
    build_release(data, out, model)
    with_calculations(out)
    report = build_release(data, out, model)
    assert report.release.counts["conductivities"] == 1 and report.release.counts["calculations"] == 2
    assert report.carried is not None and report.carried.changed == ()
    with open_reader(out) as reader:
        assert reader.candidate("mp-1")["sigma_ms_per_cm"] == 150.0
        assert reader.calculation_file("toy-1", "path.npz") == toy().files["path.npz"]
        assert reader.crystal(spinel().id).same_structure(spinel())
        assert len(reader.screen()) == 2


def test_building_twice_gives_the_same_rows(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model = load_voltage_model("fast")
    build_release(data, out, model)
    with_calculations(out)
    first = build_release(data, out, model)
    rows, manifest = table_rows(out), read_manifest(out)
    second = build_release(data, out, model)
    assert table_rows(out) == rows and len(rows) > 8
    assert read_manifest(out).calculations == manifest.calculations
    assert read_manifest(out).files == manifest.files and not differences(out)
    assert second.release.version != first.release.version
    kept = [path.name for path in (out / "previous").iterdir()]
    assert kept == [f"release-{first.release.version}.duckdb"]
    assert [path.name for path in out.glob("release-*")] == [f"release-{second.release.version}.duckdb"]


def test_a_release_that_cannot_be_read_is_not_built_over(data: Path, tmp_path: Path) -> None:
    model = load_voltage_model("fast")
    old = make_old_release(tmp_path / "old")
    with pytest.raises(SchemaVersionError, match="migrate-release"):
        build_release(data, tmp_path / "old", model)
    assert old.exists()
    build_release(data, tmp_path / "out", model)
    (path,) = (tmp_path / "out").glob("release-*")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ReleaseDamagedError):
        build_release(data, tmp_path / "out", model)


def test_sources_are_read_in_turn_and_an_id_counts_once(data: Path, tmp_path: Path) -> None:
    lines = tmp_path / "mine.jsonl"
    mine = [SULPHIDE | {"id": "mine-1"}, OXIDE, rock_salt("odd id", "Mg", "O", 2.2), {"id": "empty"}]
    lines.write_text("".join(json.dumps(record) + "\n" for record in mine))
    sources = [ReferenceSource(folder=data), FileSource(path=lines, working_ion="Mg")]
    out = tmp_path / "out"
    report = build_release(data, out, load_voltage_model("fast"), sources=sources)
    assert any("the source reference has given this id" in reason for reason in report.skipped_reasons)
    assert any("the id must be" in reason for reason in report.skipped_reasons)
    assert report.release.data_sha256 not in (None, data_sha256(data))
    with open_reader(out) as reader:
        frame = reader.screen().set_index("id")
        assert list(frame.index) == ["GNoME-2", "mine-1", "mp-1"]
        makers = reader.structures().set_index("id").provenance_id
        assert reader.provenance(makers["mp-1"])["data_sha256"] == data_sha256(data)
        assert makers["mine-1"] != makers["mp-1"]
    alone = build_release(data, tmp_path / "alone", load_voltage_model("fast"), sources=sources[1:])
    assert alone.release.counts["candidates"] == 2


def test_sources_without_a_candidate_are_an_error(data: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lime.jsonl"
    lines.write_text(json.dumps(LIME))
    sources = [FileSource(path=lines, working_ion="Mg")]
    with pytest.raises(
        SourceError, match=r"None of 1 structures from lime.jsonl is a candidate for Mg: .*holds no Mg"
    ):
        build_release(data, tmp_path / "out", load_voltage_model("fast"), sources=sources)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--source", "gnome"], "--gnome FOLDER"),
        (["--source", "mp"], "MP_API_KEY"),
        (["--source", "nowhere.cif"], "nowhere.cif is not there"),
    ],
)
def test_the_command_says_what_a_source_needs(
    data: Path, tmp_path: Path, options: list[str], words: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("MP_API_KEY", raising=False)
    assert main(["build", "--data", str(data), "--out", str(tmp_path / "out"), *options]) == 2
    assert words in capsys.readouterr().err


def test_the_command_reports_what_it_took_over(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["build", "--data", str(data), "--out", str(out), "--source", "reference"]
    assert main(command) == 0
    with_calculations(out)
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "Taken over from the release before:" in said and "2 calculations" in said


@pytest.mark.parametrize("name", ["cgcnn", "fast"])
def test_provenance_names_the_seeds_of_the_model(data: Path, tmp_path: Path, name: str) -> None:
    model = load_voltage_model(name)
    out = tmp_path / "out"
    build_release(data, out, model)
    with open_reader(out) as reader:
        made_by = reader.provenance(reader.predictions("mp-1").provenance_id[0])
    assert made_by["seeds"] == ([0, 1, 2] if name == "cgcnn" else [0, 1, 2, 3, 4])


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
    found = nearest_electrodes([crystal], "Mg", labelled, load_voltage_model("fast"))
    assert [battery_id for battery_id, _ in found["x"]] == ["a"]
