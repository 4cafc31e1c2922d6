"""What calculations about the charged state put into the view `screening`, and releases that lack the columns."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.provenance import Provenance
from core.records import CalculationRecord
from core.store import SCREEN_COLUMNS, Reader, ReleaseWriter, open_reader
from tests.store.small_release import (
    DATA_SHA256,
    MODEL_SHA256,
    conductivity_calculation,
    crystals,
    fill,
    make_release,
)

_FIRST, _END = (SCREEN_COLUMNS.index(name) for name in ("relaxed_voltage_v", "voltage_model"))
ADDED = (*SCREEN_COLUMNS[_FIRST:_END], "barrier_ev", "barrier_std_ev")


def record(
    kind: str, name: str, verdict: str, day: int = 1, id: str = "mp-2", **result: Any
) -> CalculationRecord:
    head = {"format": 1, "kind": kind, "version": 1}
    return CalculationRecord(
        key=name.encode().hex().ljust(64, "0")[:64], name=name, kind=kind, version=1, subject_id=id, formula="MgMnO2",
        working_ion="Mg", verdict=verdict, created=f"2026-01-{day:02}T00:00:00+00:00", spec=head, result=head | result,
        provenance=Provenance(kind=kind),
    )  # fmt: skip


def relaxation(
    name: str, verdict: str = "topotactic", day: int = 1, voltage_v: float = 3.0, **more: Any
) -> CalculationRecord:
    fields = {"potential": "a", "redox_voltage_v": None, "volume_change": -0.05, "largest_move_a": 0.3}
    return record("relaxation", name, verdict, day, voltage_v=voltage_v, **(fields | more))


def shown(folder: Path, *records: CalculationRecord, id: str = "mp-2") -> dict[str, Any]:
    with ReleaseWriter(folder, version="1") as writer:
        fill(writer)
        writer.add_calculations(records)
        writer.publish(model_name="test", model_sha256=MODEL_SHA256, data_sha256=DATA_SHA256)
    with open_reader(folder) as reader:
        assert len(reader.screen()) == 5
        return reader.candidate(id)


def test_each_kind_fills_its_columns(tmp_path: Path) -> None:
    row = shown(
        tmp_path,
        relaxation("r1", redox_voltage_v=3.4),
        record("stability", "s1", "stable enough", charged_e_above_hull_ev_per_atom=0.1,
               charged_e_above_hull_std_ev_per_atom=0.03, discharged_e_above_hull_ev_per_atom=0.0,
               discharged_e_above_hull_std_ev_per_atom=None, conversion_voltage_v=2.1),
        record("curve", "c1", "two steps", steps=[{"x_low": 0.0, "x_high": 0.5, "voltage_v": 3.3},
                                                  {"x_low": 0.5, "x_high": 1.0, "voltage_v": 2.8}]),
        record("barrier", "b1", "three dimensions", potential="nequip-mp", barrier_ev=0.52, barrier_std_ev=0.1),
        record("dft", "d1", "converged", voltage_v=2.95, voltage_d3_v=3.02, level="PBE+U"),
    )  # fmt: skip
    assert {name: row[name] for name in ADDED} == {
        "relaxed_voltage_v": 3.0, "relaxed_redox_voltage_v": 3.4, "volume_change": -0.05, "largest_move_a": 0.3,
        "framework": "topotactic", "charged_e_above_hull_ev_per_atom": 0.1,
        "charged_e_above_hull_std_ev_per_atom": 0.03, "discharged_e_above_hull_ev_per_atom": 0.0,
        "discharged_e_above_hull_std_ev_per_atom": None, "conversion_voltage_v": 2.1, "curve_low_v": 2.8,
        "curve_high_v": 3.3, "dft_voltage_v": 2.95, "barrier_ev": 0.52, "barrier_std_ev": 0.1,
    }  # fmt: skip


def test_the_latest_finished_one_is_shown(tmp_path: Path) -> None:
    row = shown(
        tmp_path, relaxation("early", day=1), relaxation("late", day=2, voltage_v=3.2),
        relaxation("broken", "not converged", day=3, voltage_v=9.0),
    )  # fmt: skip
    assert row["relaxed_voltage_v"] == 3.2 and row["framework"] == "topotactic"


def test_the_potential_that_most_are_under_is_shown_so_that_rows_compare(tmp_path: Path) -> None:
    others = [relaxation("x", potential="b", day=9, voltage_v=2.0)]
    row = shown(tmp_path, relaxation("one"), relaxation("two"), *others)
    assert row["relaxed_voltage_v"] == 3.0


def test_what_did_not_come_to_rest_has_no_figures(tmp_path: Path) -> None:
    row = shown(tmp_path, relaxation("broken", "not converged", voltage_v=9.0))
    assert (
        row["framework"] == "not converged"
        and row["relaxed_voltage_v"] is None
        and row["volume_change"] is None
    )


def test_a_figure_of_another_form_is_not_known(tmp_path: Path) -> None:
    assert shown(tmp_path, relaxation("odd", voltage_v="high"))["relaxed_voltage_v"] is None


def test_a_polymorph_that_melted_is_named_where_nothing_was_simulated(tmp_path: Path) -> None:
    unknown = dict.fromkeys(
        ("d_cm2_per_s", "d_low_cm2_per_s", "d_high_cm2_per_s", "sigma_ms_per_cm", "sigma_low_ms_per_cm",
         "sigma_high_ms_per_cm")
    )  # fmt: skip
    (melting,) = [it for it in crystals() if it.id == "mp-2"]
    with ReleaseWriter(tmp_path, version="1") as writer:
        made_by = fill(writer)
        others = [replace(melting, id=id) for id in ("mp-5", "mp-6")]
        writer.add_candidates(others, working_ion="Mg", provenance_id=made_by)
        writer.add_calculations(
            [
                conductivity_calculation("melts", "mp-2", verdict="framework melted", **unknown),
                conductivity_calculation("holds", "mp-6"),
            ]
        )
        writer.publish(model_name="test", model_sha256=MODEL_SHA256, data_sha256=DATA_SHA256)
    with open_reader(tmp_path) as reader:
        frame = reader.screen().set_index("id")
    assert frame["melted_polymorph"].dropna().to_dict() == {
        "mp-5": "mp-2"
    }  # not itself, nor one with its own run


@pytest.fixture
def early_release(tmp_path: Path) -> Path:
    """A release as it was before the columns came."""
    made = make_release(tmp_path)
    path = tmp_path / f"early-{made.version}.duckdb"
    shutil.copyfile(next(tmp_path.glob("release-*.duckdb")), path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP VIEW screening")
        for name in (*ADDED, "melted_polymorph"):
            connection.execute(f"ALTER TABLE screening_rows DROP COLUMN {name}")
        connection.execute("CREATE VIEW screening AS SELECT * FROM screening_rows")
    return path


def test_an_earlier_release_is_read_with_nothing_known_of_them(early_release: Path) -> None:
    with Reader(early_release, sha256="") as reader:
        frame = reader.screen()
        assert frame.columns.tolist() == list(SCREEN_COLUMNS) and frame[list(ADDED)].isna().all(axis=None)
        assert frame["melted_polymorph"].isna().all()
        assert frame["relaxed_voltage_v"].dtype == float and frame["voltage_v"].notna().sum() == 4
        row = reader.candidate("mp-2")
        assert row["voltage_v"] == 2.4 and all(row[name] is None for name in ADDED)
