"""What a reader gives back of a small release."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from core.errors import UnknownCandidateError
from core.store import SCREEN_COLUMNS, Filters, Reader, is_valid_id, open_reader
from tests.store.small_release import MODEL_SHA256, crystals, make_release

REQUIRED = [
    "id",
    "formula",
    "source",
    "license",
    "spacegroup",
    "n_sites",
    "voltage_v",
    "voltage_std_v",
    "voltage_low_v",
    "voltage_high_v",
    "in_domain",
    "capacity_vol_ah_per_l",
    "capacity_grav_mah_per_g",
    "capacity_redox_vol_ah_per_l",
    "e_above_hull_ev_per_atom",
    "sigma_ms_per_cm",
    "sigma_low_ms_per_cm",
    "sigma_high_ms_per_cm",
    "sigma_temperature_k",
    "provenance_id",
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("release")
    make_release(folder)
    with open_reader(folder) as opened:
        yield opened


def test_release(reader: Reader) -> None:
    release = reader.release
    assert (release.version, release.schema_version, release.model_sha256) == ("1", 2, MODEL_SHA256)
    assert (release.working_ion, release.model_name) == ("Mg", "test")
    assert release.counts == {
        "candidates": 5, "structures": 5, "voltage_predictions": 5, "capacities": 5, "calculations": 0,
        "conductivities": 0, "electrodes": 2, "skipped": 2,
    }  # fmt: skip
    assert len(release.sha256) == 64


def test_screen_has_the_columns_and_one_row_a_candidate(reader: Reader) -> None:
    frame = reader.screen()
    assert list(SCREEN_COLUMNS[: len(REQUIRED)]) == REQUIRED == list(frame.columns[: len(REQUIRED)])
    assert frame.id.tolist() == sorted(it.id for it in crystals())
    numbers = [name for name in REQUIRED if name.endswith(("_v", "_l", "_g", "_atom", "_cm", "_k"))]
    assert all(frame[name].dtype == np.float64 for name in numbers)
    assert frame.in_domain.dtype == bool
    failed = frame.set_index("id").loc["gnome-4"]
    assert np.isnan(failed.voltage_v)
    assert not failed.in_domain


def test_label_is_joined_by_discharged_structure(reader: Reader) -> None:
    labels = reader.screen().set_index("id").mp_average_voltage_v.dropna()
    assert labels.to_dict() == {"mp-32006": 2.86}


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        (Filters(), {"mp-32006", "mp-1", "mp-2", "gnome-3", "gnome-4"}),
        (Filters(required_elements=("Mn", "O")), {"mp-32006", "mp-2"}),
        (Filters(forbidden_elements=("Mn", "Cu")), {"mp-1", "gnome-3"}),
        (Filters(sources=("GNoME",)), {"gnome-3", "gnome-4"}),
        (Filters(sources=()), set()),
        (Filters(max_e_above_hull_ev_per_atom=0.005), {"gnome-3", "gnome-4"}),
        (Filters(max_e_above_hull_ev_per_atom=0.05, keep_unknown_hull=False), {"mp-32006", "mp-1", "mp-2"}),
        (Filters(in_domain_only=True), {"mp-32006", "mp-2", "gnome-3"}),
        (Filters(redox_metals=("Fe", "Cu")), {"gnome-3", "gnome-4"}),
        (Filters(with_anion_only=True), {"mp-32006", "mp-1", "mp-2", "gnome-3"}),
        (Filters(text="mgmn"), {"mp-32006", "mp-2"}),
        (Filters(text="32006"), {"mp-32006"}),
        (Filters(text="Mg(MnO2)2"), {"mp-32006"}),
        (Filters(text="Mg2Mn4O8"), {"mp-32006"}),
        (Filters(text="%"), set()),
        (
            Filters(required_elements=("Mn",), redox_metals=("Mn",), in_domain_only=True, text="MgMnO"),
            {"mp-2"},
        ),
        (Filters(required_elements=("') OR TRUE --",)), set()),
        (Filters(text="'; DROP TABLE candidates; --"), set()),
    ],
)
def test_filters(reader: Reader, filters: Filters, ids: set[str]) -> None:
    assert set(reader.screen(filters).id) == ids
    assert reader.release.counts["candidates"] == len(reader.screen())


def test_columns_can_be_chosen_and_are_checked(reader: Reader) -> None:
    frame = reader.screen(columns=("id", "elements"))
    assert list(frame.columns) == ["id", "elements"]
    with pytest.raises(KeyError, match="1; DROP"):
        reader.screen(columns=("id", "1; DROP TABLE candidates"))


def test_crystals_come_back_as_they_went_in(reader: Reader) -> None:
    for crystal in crystals():
        found = reader.crystal(crystal.id)
        assert found.species == crystal.species
        np.testing.assert_array_equal(found.frac, crystal.frac)
        np.testing.assert_array_equal(found.lattice_a, crystal.lattice_a)
        assert (found.source, found.license, found.spacegroup) == (
            crystal.source,
            crystal.license,
            crystal.spacegroup,
        )
        assert (found.formula, found.working_ion) == (crystal.formula, "Mg")
        assert found.e_above_hull_ev_per_atom == crystal.e_above_hull_ev_per_atom


def test_candidate(reader: Reader) -> None:
    row = reader.candidate("mp-32006")
    assert row["source_url"] == "https://materialsproject.org/materials/mp-32006"
    assert row["redox_metals"] == ["Mn"]
    assert row["chemsys"] == "Mg-Mn-O"
    assert row["capacity_redox_vol_ah_per_l"] == pytest.approx(row["capacity_vol_ah_per_l"])
    failed = reader.candidate("gnome-4")
    assert failed["voltage_error"] == "too far from every labelled electrode"
    assert failed["voltage_v"] is None
    assert failed["license"] == "CC BY-NC 4.0"
    assert not failed["has_anion"]


@pytest.mark.parametrize("id", ["mp-404", "", "a" * 81, "mp-1' OR '1'='1", "<script>", "../x", "é"])
def test_unknown_id(reader: Reader, id: str) -> None:
    with pytest.raises(UnknownCandidateError, match="No candidate"):
        reader.candidate(id)
    with pytest.raises(UnknownCandidateError):
        reader.crystal(id)


def test_is_valid_id() -> None:
    assert is_valid_id("gnome-52bc45d960")
    assert not is_valid_id("a\n")


def test_nearest_electrodes(reader: Reader) -> None:
    found = reader.nearest_electrodes("mp-32006")
    assert found["rank"].tolist() == [1, 2]
    assert found.battery_id.tolist() == ["b-1", "b-2"]
    assert found.average_voltage_v.tolist() == [2.86, 1.5]
    assert reader.nearest_electrodes("mp-1").empty


def test_lists(reader: Reader) -> None:
    assert reader.elements().set_index("element").n.to_dict() == {"Cu": 1, "Fe": 1, "Mg": 5, "Mn": 2, "O": 4}
    assert reader.redox_metals().element.tolist() == ["Mn", "Cu", "Fe"]
    assert reader.sources().values.tolist() == [
        ["Materials Project", "CC BY 4.0", 3],
        ["GNoME", "CC BY-NC 4.0", 2],
    ]
    assert reader.skipped_reasons().values.tolist() == [["duplicate", 2]]
    assert reader.skipped().id.tolist() == ["mp-7", "mp-8"]
    assert len(reader.electrodes("Mg")) == 2
    assert reader.electrodes("Li").empty
    assert len(reader.electrodes()) == 2
    assert reader.conductivities().empty
    assert reader.conductivities("mp-1").empty


def test_voltage_histogram(reader: Reader) -> None:
    found = reader.voltage_histogram(1.0)
    assert found.n.sum() == 4
    assert found.set_index(["source", "voltage_bin_v"]).n[("Materials Project", 3.0)] == 1


def test_provenance(reader: Reader) -> None:
    row = reader.provenance(reader.candidate("mp-1")["provenance_id"])
    assert row["seed"] == 7
    assert "duckdb" in row["versions"]
    with pytest.raises(UnknownCandidateError):
        reader.provenance("nobody")


def test_reader_cannot_write_or_reach_files(reader: Reader, tmp_path: Path) -> None:
    for sql in (
        "DELETE FROM candidates",
        f"COPY candidates TO '{tmp_path / 'out.csv'}'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SET enable_external_access = true",
        "SET threads = 8",
    ):
        with pytest.raises(duckdb.Error):
            reader._connection.execute(sql)
    assert not list(tmp_path.iterdir())


def test_threads_share_a_reader(reader: Reader) -> None:
    expected = reader.screen()
    with ThreadPoolExecutor(4) as pool:
        for frame in pool.map(lambda _: reader.screen(), range(16)):
            pd.testing.assert_frame_equal(frame, expected)


def test_default_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_release(tmp_path)
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path))
    with open_reader() as first, open_reader() as second:
        assert first.release == second.release
