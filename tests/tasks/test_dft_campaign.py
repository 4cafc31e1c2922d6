"""What first principles are spent on is chosen by a rule."""

import pytest

from core.dft import primitive
from core.store import open_reader
from core.tasks.dft_campaign import LEFT_OUT, MAX_ATOMS, Choice, chosen


@pytest.fixture(scope="module")
def choices() -> list[Choice]:
    with open_reader() as reader:
        return chosen(reader)


def test_there_are_fifteen_labelled_electrodes_and_twenty_candidates_or_more(choices: list[Choice]) -> None:
    labelled = [it for it in choices if it.is_labelled]
    assert len(labelled) == 15 and len(choices) - 15 >= 20
    assert len({it.crystal.id for it in choices}) == len(choices)
    assert {"mp-1221953", "mp-19202"} <= {it.crystal.id for it in labelled}
    assert len({frozenset(it.crystal.species) for it in labelled}) >= 10, "hosts of many kinds"


def test_they_are_small_affordable_first_and_hold_nothing_that_is_not_treated(choices: list[Choice]) -> None:
    assert [it.seconds for it in choices] == sorted(it.seconds for it in choices)
    for it in choices:
        assert primitive(it.crystal).n_sites <= MAX_ATOMS
        assert not LEFT_OUT & set(it.crystal.species)


def test_candidates_carry_no_label_and_pass_the_limits(choices: list[Choice]) -> None:
    with open_reader() as reader:
        rows = [reader.candidate(it.crystal.id) for it in choices if not it.is_labelled]
    for row in rows:
        assert row["mp_average_voltage_v"] is None and row["in_domain"]
        assert row["voltage_v"] > 2.5 and row["capacity_redox_vol_ah_per_l"] > 600
    assert len({row["formula"] for row in rows}) == len(rows)
