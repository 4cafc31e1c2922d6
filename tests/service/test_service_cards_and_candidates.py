"""What cards say, and all that is known of one candidate."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import UnknownCandidateError
from core.service.candidates import candidate, examples, names
from core.service.model import load_model
from core.service.potentials import listed_potentials
from core.service.release import Reader, open_reader
from tests.store.small_release import make_release


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    make_release(tmp_path)
    with open_reader(tmp_path) as opened:
        yield opened


def test_the_shipped_models_name_their_seeds() -> None:
    for name in ("default", "cgcnn"):
        card = load_model(name).card
        figures = card.evaluation
        assert card.seeds and figures.errors["random"] and 0.8 < figures.coverage["random"] < 1.0


def test_a_candidate_with_all_that_is_known(reader: Reader) -> None:
    known = candidate(reader, "mp-32006")
    assert known.row["voltage_v"] == 3.2 and known.crystal.n_sites == 56
    assert known.nearest["battery_id"].tolist() == ["b-1", "b-2"] and known.conductivities.empty
    assert known.provenance is not None and known.provenance["seed"] == 7
    told = json.loads(known.json())
    assert told["figures"]["id"] == "mp-32006" and len(told["nearest_electrodes"]) == 2
    assert told["release"]["sha256"] == reader.release.sha256
    with pytest.raises(UnknownCandidateError):
        candidate(reader, "mp-404")


def test_absent_numbers_are_null(reader: Reader) -> None:
    told = json.loads(candidate(reader, "gnome-4").json())
    assert told["figures"]["voltage_v"] is None and told["figures"]["e_above_hull_ev_per_atom"] is None


def test_names_are_for_search_and_examples_have_a_known_voltage(reader: Reader) -> None:
    assert names(reader)["mp-1"] == "MgO · mp-1" and len(names(reader)) == 5
    assert list(names(reader).values()) == sorted(names(reader).values())
    assert examples(reader, 6) == {"mp-32006": "MgMn2O4"}


def test_every_potential_is_listed_with_its_card_or_a_reason() -> None:
    listed = listed_potentials()
    assert "nequip-mg" in [it.name for it in listed]
    assert all((it.card is None) == bool(it.error) for it in listed)
