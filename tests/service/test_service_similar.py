"""Candidates like one: polymorphs, prototypes, and neighbours by the labelled electrodes near both."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.provenance import Provenance
from core.service.release import Reader, open_reader
from core.service.similar import COLUMNS, SHOWN, anonymous_formula, similar
from core.store import ReleaseWriter
from core.thresholds import ASKED
from tests.store.small_release import DATA_SHA256, MODEL_SHA256, crystals, make_release


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """The small release with a second MgO, and neighbours of two candidates at one electrode."""
    make_release(tmp_path)
    with ReleaseWriter(tmp_path, extend=True) as writer:
        made_by = writer.add_provenance(Provenance(kind="test", model_name="test", seed=1))
        writer.add_candidates(
            [replace(crystals()[1], id="mp-11", spacegroup="P1")], working_ion="Mg", provenance_id=made_by
        )
        near = {"mp-1": [("b-1", 0.5), ("b-2", 0.1)], "mp-2": [("b-1", 0.25), ("b-2", 2.0)]}
        writer.add_nearest_electrodes(near, provenance_id=made_by)
        writer.publish(model_name="test", model_sha256=MODEL_SHA256, data_sha256=DATA_SHA256)
    with open_reader(tmp_path) as opened:
        yield opened


def test_polymorphs_and_prototypes_are_told_apart(reader: Reader) -> None:
    found = similar(reader, reader.candidate("mp-1"), ASKED)
    assert found.polymorphs["id"].tolist() == ["mp-11"] and found.n_polymorphs == 1
    assert found.prototypes["id"].tolist() == ["gnome-4"]  # AB in Fm-3m
    assert set(found.polymorphs["verdict"]) <= {"make next", "open", "doubtful", "no cathode"}
    of_oxides = similar(reader, reader.candidate("mp-2"), ASKED)
    assert of_oxides.prototypes["id"].tolist() == ["gnome-3"] and of_oxides.n_polymorphs == 0


def test_neighbours_are_at_most_so_far_apart(reader: Reader) -> None:
    near = similar(reader, reader.candidate("mp-2"), ASKED).neighbours
    assert near["id"].tolist() == ["mp-32006", "mp-1"]
    assert near["distance"].tolist() == pytest.approx([0.25, 0.75]) and len(near) <= SHOWN
    assert list(near.columns) == [*COLUMNS, "distance"]


def test_letters_stand_for_elements() -> None:
    assert anonymous_formula("MgCr2O4") == anonymous_formula("Mg(CoO2)2") == "AB2C4"
