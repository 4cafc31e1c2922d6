"""Nonsense is out of domain, with the reason: what was scaled, swapped, taken apart, never relaxed, or is an alloy."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.graphs import MAX_NEIGHBOURS, build_graph
from core.records import Crystal
from core.voltage.as_given import Packing, Strain, objections
from core.voltage.base import Outputs
from core.voltage.calibrate import Calibration, Domain
from core.voltage.predict import VoltageModel
from tests.voltage.crystals import SMALL, layered, lone_ion, rock_salt, sparse, spinel

AT_REST = Strain(force_ev_per_a=0.1, pressure_gpa=0.3)


def scaled(crystal: Crystal, factor: float) -> Crystal:
    return replace(crystal, lattice_a=crystal.lattice_a * factor)


def swapped(crystal: Crystal, one: str, other: str) -> Crystal:
    species = tuple({one: other, other: one}.get(it, it) for it in crystal.species)
    return replace(crystal, species=species)


class Potentials:
    """A network that sees 3 V, with the strains that it is told."""

    def __init__(self, *strains: Strain | None) -> None:
        self.strains = strains

    def outputs(self, crystals: Sequence[Crystal], working_ions: Sequence[str], *, progress=None) -> Outputs:
        n = len(crystals)
        return Outputs(
            voltages_v=np.full((n, 1), 3.0), vectors=np.zeros((n, 2), dtype=np.float32), trusted=np.ones(n, dtype=bool),
            strains=self.strains,
        )  # fmt: skip


def model_of(*strains: Strain | None) -> VoltageModel:
    calibration = Calibration(floor_v=0.2, spread_weight=1.0, distance_weight=0.1, n=100)
    domain = Domain(np.zeros((9, 2), dtype=np.float32), np.full(100, 50), 0.5)
    return VoltageModel(Potentials(*strains), calibration, domain, SimpleNamespace(name="toy"))


@pytest.mark.parametrize("make", [make for make in SMALL if make is not sparse])
def test_real_crystals_have_nothing_against_them(make) -> None:
    assert objections(make(), AT_REST) == []


@pytest.mark.parametrize(
    ("crystal", "words"),
    [
        pytest.param(scaled(spinel(), 1.5), "nearest neighbour of", id="lattice times 1.5"),
        pytest.param(scaled(spinel(), 2.0), "times the volume of its atoms", id="lattice times 2"),
        pytest.param(swapped(spinel(), "Mg", "O"), "too close", id="Mg and O swapped"),
        pytest.param(
            replace(rock_salt(), species=("Mg", "Ni"), formula="MgNi"), "no anion: an alloy", id="an alloy"
        ),
        pytest.param(lone_ion(), "Mg has no neighbour within 8 angstrom", id="isolated atom"),
    ],
)
def test_nonsense_is_told_without_any_force(crystal: Crystal, words: str) -> None:
    assert words in "; ".join(objections(crystal, None))


def test_an_atom_with_fewer_than_twelve_neighbours_is_predicted_out_of_domain() -> None:
    """In a large cell an atom has fewer neighbours than the graph takes; the model answers, and says what is wrong."""
    graph = build_graph(sparse())
    assert 0 < np.diff(graph.edge_start).max() < MAX_NEIGHBOURS
    (row,) = model_of().predict([sparse()], ["Mg"])
    assert row.error is None and row.voltage_v == 3.0
    assert row.in_domain is False and "times as far as their covalent radii" in row.domain_reason


def test_an_unrelaxed_crystal_is_out_of_domain_with_force_and_pressure() -> None:
    pushed = Strain(force_ev_per_a=14.2, pressure_gpa=119.0)
    rows = model_of(AT_REST, pushed, None).predict([spinel(), layered(), rock_salt()], ["Mg"] * 3)
    assert [row.in_domain for row in rows] == [True, False, True]
    assert rows[0].domain_reason is None and rows[0].start_pressure_gpa == 0.3
    assert rows[1].domain_reason == (
        "largest force 14.2 eV/angstrom as given: not relaxed; cell under +119 GPa as given: it wants to grow"
    )
    assert rows[1].start_force_ev_per_a == 14.2 and rows[2].start_force_ev_per_a is None


def test_what_is_stretched_wants_to_shrink() -> None:
    assert Strain(force_ev_per_a=0.0, pressure_gpa=-16.0).reasons() == [
        "cell under -16 GPa as given: it wants to shrink"
    ]


def test_strain_from_forces_and_stress() -> None:
    found = Strain.of(np.array([0.2, 1.5]), -np.diag([0.1, 0.1, 0.1]))
    assert found.force_ev_per_a == 1.5 and found.pressure_gpa == pytest.approx(16.02, abs=0.01)


def test_packing_names_the_atoms_that_it_means() -> None:
    packing = Packing.of(spinel())
    assert packing.closest_pair in {"Mn-O", "Mg-O"} and 0.8 < packing.closest < packing.farthest < 1.1


def test_strains_keep_their_place_beside_what_failed() -> None:
    made = Outputs(
        voltages_v=np.ones((2, 1)), vectors=np.ones((2, 3), dtype=np.float32), trusted=np.ones(2, dtype=bool),
        strains=(AT_REST, None),
    )  # fmt: skip
    whole = Outputs.with_gaps(made, [None, "refused", None])
    assert whole.strains == (AT_REST, None, None) and whole.strain(0) is AT_REST


def test_atoms_on_one_place_are_a_row_with_the_reason() -> None:
    double = replace(rock_salt(), frac=np.zeros((2, 3)))
    rows = model_of().predict([double, spinel()], ["Mg", "Mg"])
    assert "on one place" in rows[0].error and rows[1].error is None
