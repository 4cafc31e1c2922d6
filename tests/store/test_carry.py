"""What a new release takes over from the one before, so that a rebuild loses nothing that was computed."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from core.provenance import Provenance
from core.records import Crystal
from core.store import CarriedOver, ReleaseWriter, carry_over, open_reader
from tests.store.small_release import conductivity_calculation, crystals, electrode, prediction, spinel
from tests.store.test_calculations import toy
from tests.store.test_several import calcium_prediction, calcium_too

LITERATURE = replace(spinel(), id="MgSc2Se4", formula="MgSc2Se4")
RELAXED = replace(spinel(), id="MgSc2Se4.relaxed", lattice_a=spinel().lattice_a * 1.01)
BOTH_IONS = calcium_too()
TABLES = (
    "provenance", "structures", "candidates", "voltage_predictions", "capacities", "calculations", "calculation_files",
    "electrodes", "nearest_electrodes", "skipped",
)  # fmt: skip


def base(writer: ReleaseWriter, candidates: list[Crystal]) -> str:
    """What every build makes anew."""
    made_by = writer.add_provenance(Provenance(kind="test", model_name="test", seed=7, created="2026-01-01"))
    writer.add_candidates(candidates, working_ion="Mg", provenance_id=made_by)
    writer.add_voltage_predictions([replace(prediction(crystals()[1]), id=it.id) for it in candidates],
                                   provenance_id=made_by)  # fmt: skip
    writer.add_electrodes([electrode("b-1", "mp-32006")], provenance_id=made_by)
    writer.add_nearest_electrodes({candidates[0].id: [("b-1", 0.0)]}, provenance_id=made_by)
    return made_by


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A release with calculations, a second model, a second ion, and structures that are no candidates."""
    folder = tmp_path / "precomputed"
    with ReleaseWriter(folder, version="1") as writer:
        made_by = base(writer, [*crystals(), BOTH_IONS])
        other = writer.add_provenance(Provenance(kind="voltage", model_name="cgcnn", seeds=(0, 1)))
        writer.add_provenance(Provenance(kind="points to nothing"))
        writer.add_structures([LITERATURE], origin="literature", provenance_id=made_by)
        writer.add_structures([RELAXED], origin="relaxed", parent_id=LITERATURE.id, provenance_id=made_by)
        writer.add_candidates([BOTH_IONS], working_ion="Ca", provenance_id=made_by)
        writer.add_voltage_predictions([calcium_prediction(BOTH_IONS, 1.1)], provenance_id=made_by)
        writer.add_voltage_predictions([prediction(it) for it in crystals()[:3]], provenance_id=other)
        writer.add_nearest_electrodes({"mp-2": [("b-1", 0.25)]}, model="cgcnn", provenance_id=other)
        writer.add_calculations([
            toy(), toy("toy-2", subject_id=RELAXED.id), toy("toy-3", subject_id="mp-1"),
            conductivity_calculation("run-1", "mp-2"),
        ])  # fmt: skip
        writer.publish()
    return folder


def rebuilt(folder: Path, candidates: list[Crystal]) -> CarriedOver:
    with open_reader(folder) as reader:
        path, version = reader.path, int(reader.release.version)
    with ReleaseWriter(folder, version=str(version + 1)) as writer:
        base(writer, candidates)
        carried = carry_over(writer, path, working_ion="Mg")
        writer.publish(model_name="test")
    return carried


def rows(folder: Path, table: str) -> list[str]:
    with open_reader(folder) as reader:
        path = reader.path
    with duckdb.connect(str(path), read_only=True) as connection:
        return sorted(map(str, connection.execute(f"SELECT * FROM {table}").fetchall()))


def test_a_rebuild_on_the_same_data_changes_nothing(before: Path) -> None:
    kept = {table: rows(before, table) for table in TABLES if table != "provenance"}
    carried = rebuilt(before, [*crystals(), BOTH_IONS])
    assert carried.changed == () and carried.counts["calculations"] == 4
    assert {table: rows(before, table) for table in kept} == kept
    makers = rows(before, "provenance")
    assert not any("points to nothing" in row for row in makers)
    rebuilt(before, [*crystals(), BOTH_IONS])
    assert {table: rows(before, table) for table in kept} == kept
    assert rows(before, "provenance") == makers


def test_calculations_bring_their_files_and_makers(before: Path) -> None:
    rebuilt(before, crystals())
    with open_reader(before) as reader:
        stored = reader.calculation("toy-1")
        assert stored.files == toy().files and stored.provenance == replace(
            toy().provenance, created=stored.provenance.created
        )
        assert reader.candidate("mp-2")["sigma_ms_per_cm"] == 150.0


def test_structures_that_a_calculation_is_about_stay_without_being_candidates(before: Path) -> None:
    rebuilt(before, [it for it in crystals() if it.id not in ("mp-1", "mp-2")])
    with open_reader(before) as reader:
        assert "mp-2" not in set(reader.screen().id)
        assert reader.crystal("mp-2").same_structure(crystals()[2])
        assert reader.calculation("run-1").subject_id == "mp-2"
        assert reader.structures(LITERATURE.id).id.tolist() == [RELAXED.id]
        assert {"mp-1", LITERATURE.id} <= set(reader.structures().id)
        assert BOTH_IONS.id in set(reader.structures().id)  # a candidate for calcium still
        assert reader.predictions(BOTH_IONS.id).voltage_v.tolist() == [1.1]


def test_a_structure_that_changed_keeps_its_calculations_and_they_are_named(before: Path) -> None:
    swollen = [replace(it, lattice_a=it.lattice_a * 1.05) if it.id == "mp-2" else it for it in crystals()]
    rounded = [replace(it, lattice_a=it.lattice_a + 1e-6) if it.id == "mp-1" else it for it in swollen]
    carried = rebuilt(before, rounded)
    assert carried.changed == ("run-1", "toy-1")
    with open_reader(before) as reader:
        assert reader.crystal("mp-2").same_structure(rounded[2])
        assert len(reader.calculations()) == 4
        assert reader.predictions("mp-2").model.tolist() == ["test"]  # the other model saw another structure
        assert reader.predictions("mp-1").model.tolist() == ["test", "cgcnn"]


def test_what_is_made_anew_replaces_what_was(before: Path) -> None:
    with open_reader(before) as reader:
        path = reader.path
    with ReleaseWriter(before, version="2") as writer:
        made_by = writer.add_provenance(Provenance(kind="test", model_name="cgcnn", seed=8))
        writer.add_candidates(crystals(), working_ion="Mg", provenance_id=made_by)
        writer.add_voltage_predictions(
            [replace(prediction(crystals()[2]), voltage_v=2.6)], provenance_id=made_by
        )
        carry_over(writer, path, working_ion="Mg")
        writer.publish(model_name="cgcnn")
    with open_reader(before) as reader:
        assert reader.predictions("mp-2").set_index("model").voltage_v.to_dict() == {
            "cgcnn": 2.6,
            "test": 0.1,
        }
        assert reader.predictions("mp-1").model.tolist() == ["test"]
