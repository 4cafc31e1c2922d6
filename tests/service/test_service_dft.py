"""What pages ask of first principles."""

from pathlib import Path

import pytest

from core.dft import is_available
from core.errors import NoWorkingIonError
from core.service.dft import dft_available, dft_of, estimate, planned, relaxed_ends
from core.store import open_reader
from tests.dft.crystals import layered, spinel


def test_an_estimate_comes_in_numbers_and_words() -> None:
    found = estimate(spinel("Cr"))
    assert 60 < found.seconds < 1200 and 200 < found.memory_mb < 2000 and found.n_atoms == 14
    assert "14 atoms" in found.words and "minutes" in found.words
    with pytest.raises(NoWorkingIonError):
        estimate(spinel("Cr"), "Ca")


def test_whether_it_can_be_run_is_asked_of_what_is_installed() -> None:
    assert dft_available() == is_available()


def test_a_plan_relaxes_first_unless_told_otherwise() -> None:
    assert planned(layered("Ni")).potential == "nequip-mp"
    assert planned(layered("Ni"), potential=None).potential is None


def test_where_nothing_was_computed_nothing_is_found(tmp_path: Path) -> None:
    with open_reader() as reader:
        assert dft_of(layered("Ni"), reader, tmp_path) == []
        assert relaxed_ends("layered-Ni", reader, tmp_path) is None
