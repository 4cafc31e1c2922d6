"""A candidate may have several working ions and several models, and children; pages still see one row of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.capacity import capacity
from core.errors import InvalidRowError
from core.provenance import Provenance
from core.records import Crystal, VoltagePrediction
from core.store import ReleaseWriter, open_reader
from tests.store.small_release import crystals, electrode, fill, prediction, spinel


def calcium_too() -> Crystal:
    """A rock salt that holds two ions that could leave."""
    magnesium = crystals()[2]
    return replace(magnesium, id="mp-20", formula="MgCaO2", species=("Mg", "Ca", "Mg", "Ca", *["O"] * 4))


def calcium_prediction(crystal: Crystal, voltage_v: float) -> VoltagePrediction:
    return VoltagePrediction(
        id=crystal.id, formula=crystal.formula, working_ion="Ca", voltage_v=voltage_v, voltage_std_v=0.2,
        voltage_low_v=voltage_v - 0.3, voltage_high_v=voltage_v + 0.3, in_domain=True,
    )  # fmt: skip


def test_a_second_ion_and_a_second_model_are_stored_beside_the_first(tmp_path: Path) -> None:
    both = calcium_too()
    with ReleaseWriter(tmp_path) as writer:
        made_by = fill(writer)
        other = writer.add_provenance(Provenance(kind="voltage", model_name="cgcnn", seeds=(0, 1)))
        for ion, charge in (("Mg", 2), ("Ca", 2)):
            writer.add_candidates([both], working_ion=ion, provenance_id=made_by)
            writer.add_capacities(
                {both.id: capacity(both, ion, charge)}, working_ion=ion, provenance_id=made_by
            )
        sound = replace(prediction(crystals()[2]), id=both.id)
        writer.add_voltage_predictions([sound, calcium_prediction(both, 1.1)], provenance_id=made_by)
        writer.add_voltage_predictions([replace(sound, voltage_v=2.5)], provenance_id=other)
        writer.add_nearest_electrodes({both.id: [("b-1", 0.5)]}, provenance_id=other)
        writer.publish(model_name="test")
    with open_reader(tmp_path) as reader:
        frame = reader.screen().set_index("id")
        assert len(frame) == len(crystals()) + 1 == reader.release.counts["candidates"]
        assert frame.voltage_v[both.id] == 2.4
        rows = reader.predictions(both.id)[["working_ion", "model", "voltage_v"]].values.tolist()
        assert rows == [["Mg", "test", 2.4], ["Mg", "cgcnn", 2.5], ["Ca", "test", 1.1]]
        assert reader.crystal(both.id).working_ion == "Mg"
        assert reader.elements().set_index("element").n["Ca"] == 1
        assert reader.nearest_electrodes(both.id).empty and len(reader.nearest_electrodes("mp-32006")) == 2
        assert reader.provenance(other)["seeds"] == [0, 1]


@pytest.mark.parametrize(("ion", "model", "voltage_v"), [("Ca", "test", 1.1), ("Mg", "cgcnn", 2.5)])
def test_a_release_says_which_ion_and_model_pages_show(
    tmp_path: Path, ion: str, model: str, voltage_v: float
) -> None:
    both = calcium_too()
    with ReleaseWriter(tmp_path) as writer:
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_electrodes([electrode("b-1", "mp-9")], provenance_id=made_by)
        for each in ("Mg", "Ca"):
            writer.add_candidates([both], working_ion=each, provenance_id=made_by)
        sound = replace(prediction(crystals()[2]), id=both.id, voltage_v=2.5)
        writer.add_voltage_predictions([calcium_prediction(both, 1.1)], model="test", provenance_id=made_by)
        writer.add_voltage_predictions([sound], model="cgcnn", provenance_id=made_by)
        writer.add_nearest_electrodes(
            {both.id: [("b-1", 0.5)]}, working_ion=ion, model=model, provenance_id=made_by
        )
        writer.publish(model_name=model, working_ion=ion)
    with open_reader(tmp_path) as reader:
        assert reader.screen().voltage_v.tolist() == [voltage_v]
        assert reader.crystal(both.id).working_ion == reader.candidate(both.id)["working_ion"] == ion
        assert reader.nearest_electrodes(both.id).battery_id.tolist() == ["b-1"]


def test_the_only_model_need_not_be_named(tmp_path: Path) -> None:
    with ReleaseWriter(tmp_path) as writer:
        fill(writer)
        assert writer.publish().model_name == "test"
    with open_reader(tmp_path) as reader:
        assert reader.candidate("mp-2")["voltage_v"] == 2.4


def test_predictions_need_a_model(tmp_path: Path) -> None:
    with pytest.raises(InvalidRowError, match="names no model"), ReleaseWriter(tmp_path) as writer:
        made_by = writer.add_provenance(Provenance(kind="test"))
        writer.add_candidates(crystals(), working_ion="Mg", provenance_id=made_by)
        writer.add_voltage_predictions([prediction(crystals()[1])], provenance_id=made_by)


def test_a_relaxed_child_is_no_candidate_and_knows_its_parent(tmp_path: Path) -> None:
    parent = spinel()
    child = replace(parent, id="mp-32006.relaxed", lattice_a=parent.lattice_a * 1.01, source="this project")
    with ReleaseWriter(tmp_path) as writer:
        made_by = fill(writer)
        assert (
            writer.add_structures([child], origin="relaxed", parent_id=parent.id, provenance_id=made_by) == 1
        )
        assert writer.add_structures([child, parent], origin="relaxed", provenance_id=made_by) == 0
        grandchild = replace(child, id="mp-32006.relaxed.charged")
        writer.add_structures(
            [grandchild], origin="charged", parent_id={grandchild.id: child.id}, provenance_id=made_by
        )
        writer.publish()
    with open_reader(tmp_path) as reader:
        assert len(reader.screen()) == len(crystals())
        assert reader.release.counts["structures"] == len(crystals()) + 2
        stored = reader.crystal(child.id)
        np.testing.assert_array_equal(stored.lattice_a, child.lattice_a)
        assert stored.working_ion is None and stored.source == "this project"
        (row,) = reader.structures(parent.id).to_dict("records")
        assert (row["id"], row["origin"], row["parent_id"]) == (child.id, "relaxed", parent.id)
        assert reader.structures(child.id).id.tolist() == [grandchild.id]
        assert len(reader.structures()) == len(crystals()) + 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parent_id": "mp-404"}, "foreign key"),
        ({"origin": "Relaxed!"}, "origin"),
        ({"parent_id": "x"}, "foreign key"),
    ],
)
def test_structures_of_unknown_descent_are_refused(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidRowError, match=words), ReleaseWriter(tmp_path) as writer:
        made_by = fill(writer)
        given = {"origin": "relaxed", "parent_id": "mp-1"} | changes
        writer.add_structures([replace(spinel(), id="x")], provenance_id=made_by, **given)


def test_another_structure_under_a_stored_id_is_refused(tmp_path: Path) -> None:
    swollen = replace(spinel(), lattice_a=spinel().lattice_a * 1.1)
    with (
        pytest.raises(InvalidRowError, match="give the new structure an id of its own"),
        ReleaseWriter(tmp_path) as writer,
    ):
        writer.add_candidates([swollen], working_ion="Mg", provenance_id=fill(writer))
