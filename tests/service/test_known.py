"""A crystal that the release holds is found, however its file writes it, and another is not."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core.records import Crystal
from core.service.known import known_id, known_row, predict_known
from core.service.release import Reader, current_reader, open_reader
from tests.store.small_release import make_release, spinel
from tests.voltage.crystals import moved


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("precomputed")
    make_release(folder)
    with open_reader(folder) as found:
        yield found


def shifted(crystal: Crystal, length_a: float) -> Crystal:
    frac = crystal.frac.copy()
    frac[0] += np.linalg.solve(crystal.lattice_a.T, [length_a, 0.0, 0.0])
    return replace(crystal, frac=frac)


def test_a_turned_shifted_relabelled_supercell_is_the_same_crystal(reader: Reader) -> None:
    given = replace(moved(spinel(), scaling=(2, 1, 1), seed=3), id="upload", formula="anything")
    assert known_id(reader, given, "Mg") == "mp-32006"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(spinel(), lattice_a=1.01 * spinel().lattice_a), id="a cell one per cent longer"),
        pytest.param(shifted(spinel(), 0.3), id="an atom that moved"),
        pytest.param(
            replace(spinel(), species=tuple("Ti" if it == "Mn" else it for it in spinel().species)),
            id="Ti for Mn",
        ),
    ],
)
def test_another_crystal_is_another(reader: Reader, other: Crystal) -> None:
    assert known_id(reader, other, "Mg") is None
    assert predict_known("other", other, "Mg", reader) is None


def test_another_ion_was_not_predicted(reader: Reader) -> None:
    assert known_id(reader, spinel(), "Ca") is None


def test_the_row_is_that_of_the_release_judged_by_all_that_it_knows(reader: Reader) -> None:
    found = predict_known("mine.cif", replace(spinel(), id="upload"), "Mg", reader)
    row = reader.candidate("mp-32006")
    assert found.name == "mine.cif" and found.crystal.id == "mp-32006"
    assert found.row == known_row(reader, "mp-32006") and found.row.release_id == "mp-32006"
    assert found.row.voltage_v == row["voltage_v"] and found.row.in_domain == row["in_domain"]
    assert found.row.verdict in {"open", "doubtful", "make next"}
    assert found.row.domain_reason is None and found.row.start_force_ev_per_a is None  # nobody looked


def test_an_alloy_of_the_release_is_out_of_domain_all_the_same() -> None:
    reader = current_reader()
    row = known_row(reader, "mp-1077177")
    assert row.formula == "Mg2Ni" and row.verdict == "no cathode"
    assert row.in_domain is False and row.domain_reason.startswith("no anion: an alloy")
    assert "out of the model's domain" in row.reasons_against
