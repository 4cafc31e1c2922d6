"""Orderings up to symmetry against Burnside's lemma, cells, electrostatics, and the hull over what is found."""

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from ase.build import bulk, make_supercell
from ase.spacegroup import crystal as ase_crystal

from core.errors import NoWorkingIonError, OrderingError
from core.ordering import (
    Phase,
    contents,
    ewald_energies_ev,
    ordering_cell,
    orderings,
    repeated,
    screened,
    voltage_curve,
)
from core.ordering.distinct import permutations
from core.records import Crystal
from core.relaxation import without
from tests.dynamics.toys import Toy, rocksalt


def of_ase(atoms) -> Crystal:
    return Crystal(
        id="made", formula=atoms.get_chemical_formula(), lattice_a=np.array(atoms.cell.array),
        species=tuple(atoms.get_chemical_symbols()), frac=atoms.get_scaled_positions(), source="test",
    )  # fmt: skip


def spinel() -> Crystal:
    """MgCr2O4 in its cubic cell, 8 Mg on a diamond lattice."""
    return of_ase(
        ase_crystal(
            ["Mg", "Cr", "O"], [(0.125, 0.125, 0.125), (0.5, 0.5, 0.5), (0.2612, 0.2612, 0.2612)],
            spacegroup=227, setting=2, cellpar=[8.33, 8.33, 8.33, 90, 90, 90],
        )
    )  # fmt: skip


def layered() -> Crystal:
    """MgTiS2 as layers, three by two cells: six Mg on a triangular lattice."""
    atoms = ase_crystal(
        ["Mg", "Ti", "S"], [(0, 0, 0.5), (0, 0, 0), (1 / 3, 2 / 3, 0.25)], spacegroup=164,
        cellpar=[3.4, 3.4, 6.0, 90, 90, 120],
    )  # fmt: skip
    return of_ase(make_supercell(atoms, np.diag([3, 2, 1])))


def fcc() -> Crystal:
    return of_ase(make_supercell(bulk("MgO", "rocksalt", a=4.2, cubic=True), np.diag([2, 1, 1])))


def chain() -> Crystal:
    """Mg in a row of five: the group of a necklace that may be turned over."""
    atoms = bulk("MgO", "cesiumchloride", a=2.6)
    return of_ase(make_supercell(atoms, np.diag([5, 1, 1])))


def sites_of(crystal: Crystal) -> list[int]:
    return [place for place, element in enumerate(crystal.species) if element == "Mg"]


def by_burnside(group: np.ndarray, n_ions: int) -> int:
    """Orbits of the ways to place ions: the mean over the group of the ways that an operation leaves as they are."""
    fixed = 0
    for permutation in group:
        cycles = Counter(_cycle_lengths(permutation.tolist()))
        ways = np.zeros(n_ions + 1, dtype=int)
        ways[0] = 1
        for length, count in cycles.items():
            for _ in range(count):
                ways[length:] = ways[length:] + ways[:-length] if length <= n_ions else ways[length:]
        fixed += ways[n_ions]
    assert fixed % len(group) == 0
    return int(fixed // len(group))


def _cycle_lengths(permutation: list[int]) -> list[int]:
    left, lengths = set(range(len(permutation))), []
    while left:
        at = left.pop()
        lengths.append(1)
        while (at := permutation[at]) in left:
            left.remove(at)
            lengths[-1] += 1
    return lengths


@pytest.mark.parametrize("make", [spinel, layered, fcc, chain])
def test_there_are_as_many_orderings_as_burnside_counts(make) -> None:
    crystal = make()
    sites = sites_of(crystal)
    group = permutations(crystal, sites)
    for n_ions in range(len(sites) + 1):
        found = orderings(crystal, sites, n_ions)
        assert found.complete and len(found.found) == by_burnside(group, n_ions)
        assert sum(it.multiplicity for it in found.found) == comb(len(sites), n_ions) == found.n_permutations


def test_the_counts_of_a_necklace_are_those_of_the_books() -> None:
    """Bracelets of five beads of two colours: 1, 1, 2, 2, 1, 1, eight in all."""
    crystal = chain()
    counts = [len(orderings(crystal, sites_of(crystal), n).found) for n in range(6)]
    assert counts == [1, 1, 2, 2, 1, 1]


def test_the_group_is_the_whole_space_group_of_the_cell() -> None:
    """Diamond lattice, cubic cell: 192 operations, of which inversion at bonds and the like all move sites."""
    crystal = spinel()
    group = permutations(crystal, sites_of(crystal))
    assert len(group) == 192 and {tuple(sorted(row)) for row in group.tolist()} == {tuple(range(8))}


def test_what_is_found_is_really_different() -> None:
    """Distances between the ions tell the orderings of four in a spinel's cell apart as far as they can."""
    crystal = spinel()
    sites = sites_of(crystal)
    lattice = crystal.to_pymatgen().lattice
    prints = set()
    for occupied in combinations(sites, 2):
        frac = crystal.frac[list(occupied)]
        prints.add(round(float(lattice.get_all_distances(frac[0], frac[1])[0, 0]), 3))
    assert len(orderings(crystal, sites, 2).found) == len(prints)


def test_symmetry_that_a_relaxation_blurred_is_symmetry_still() -> None:
    crystal = spinel()
    shaken = np.random.default_rng(0).normal(0, 0.001, crystal.frac.shape)
    blurred = Crystal(**{**_fields(crystal), "frac": crystal.frac + shaken})
    assert len(orderings(blurred, sites_of(blurred), 4).found) == len(
        orderings(crystal, sites_of(crystal), 4).found
    )


def test_where_there_are_too_many_unlike_ones_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.ordering.distinct.MAX_PERMUTATIONS", 10)
    crystal = of_ase(make_supercell(bulk("MgO", "rocksalt", a=4.2, cubic=True), np.diag([3, 1, 1])))
    sites = sites_of(crystal)
    drawn = [orderings(crystal, sites, 6, most=3, seed=seed) for seed in (1, 1, 2)]
    assert not drawn[0].complete and len(drawn[0].found) == 3
    assert drawn[0].found == drawn[1].found != drawn[2].found
    most_that_are_safe = orderings(crystal, sites, 6, most=500)
    assert 3 < len(most_that_are_safe.found) <= by_burnside(permutations(crystal, sites), 6)


@pytest.mark.parametrize("n_ions", [-1, 9])
def test_a_content_that_is_none_is_refused(n_ions: int) -> None:
    crystal = spinel()
    with pytest.raises(OrderingError, match="0 to 8 are possible"):
        orderings(crystal, sites_of(crystal), n_ions)


def test_sites_on_one_another_are_refused_in_words() -> None:
    crystal = Crystal(
        id="broken",
        formula="Mg2",
        lattice_a=np.eye(3) * 4,
        species=("Mg", "Mg"),
        frac=np.zeros((2, 3)),
        source="t",
    )
    with pytest.raises(OrderingError, match="no symmetry"):
        permutations(crystal, [0, 1])


def test_the_cell_is_the_smallest_that_offers_the_contents() -> None:
    cell = ordering_cell(rocksalt(), "Mg", max_sites=60)
    assert cell.n_copies == len(cell.ion_sites) == 4 and cell.crystal.n_sites == 8
    assert cell.copies in ((2, 2, 1), (2, 1, 2), (1, 2, 2))
    assert ordering_cell(rocksalt(), "Mg", max_sites=7).n_copies == 3
    assert ordering_cell(spinel(), "Mg", max_sites=60).copies == (1, 1, 1)


def test_copies_keep_what_belongs_together_together() -> None:
    empty, full = repeated(without(rocksalt(), [0]), (2, 2, 1)), repeated(rocksalt(), (2, 2, 1))
    assert empty.species == without(full, sites_of(full)).species
    assert np.allclose(empty.frac, without(full, sites_of(full)).frac)


def test_a_cell_that_cannot_be_had_is_refused() -> None:
    with pytest.raises(OrderingError, match="56 sites, and 40 are allowed"):
        ordering_cell(spinel(), "Mg", max_sites=40)
    with pytest.raises(NoWorkingIonError):
        ordering_cell(rocksalt(), "Ca", max_sites=40)


def test_contents_are_all_or_spread_evenly() -> None:
    assert contents(4, 5) == (1, 2, 3)
    assert contents(1, 5) == ()
    assert contents(8, 3) == (2, 4, 6)
    assert contents(12, 5) == (2, 4, 6, 8, 10)


def test_electrostatics_keep_ions_apart() -> None:
    crystal = chain()
    sites = sites_of(crystal)
    found = orderings(crystal, sites, 2).found
    energies_ev = ewald_energies_ev(crystal, "Mg", sites, found)
    gaps = [
        min(abs(a - b), 5 - abs(a - b))
        for a, b in ([sites.index(it) for it in one.occupied] for one in found)
    ]
    assert gaps[int(np.argmin(energies_ev))] == 2
    assert ewald_energies_ev(crystal, "Mg", sites, ()).shape == (0,)


def test_without_known_charges_the_ions_alone_repel() -> None:
    crystal = Crystal(
        **{**_fields(chain()), "species": tuple("Mg" if it == "Mg" else "Ar" for it in chain().species)}
    )
    sites = sites_of(crystal)
    found = orderings(crystal, sites, 2).found
    assert np.ptp(ewald_energies_ev(crystal, "Mg", sites, found)) > 0.1


def test_the_potential_ranks_and_says_what_it_left_out() -> None:
    cell = ordering_cell(rocksalt(), "Mg", max_sites=20, min_ions=8)
    every = screened(cell, "Mg", 4, Toy(), most=100)
    energies = [it for it in every.energies_ev if it is not None]
    assert energies == sorted(energies) and every.n_left_out == 0 and every.n_orderings == len(energies) > 3
    few = screened(cell, "Mg", 4, Toy(), most=2)
    assert few.n_left_out == every.n_orderings - 2 and len(few.ranked) == 2
    assert set(few.numbers) <= set(every.numbers)
    alone = screened(cell, "Mg", 1, Toy(), most=2)
    assert alone.energies_ev == (None,)


def test_a_stop_is_heard_before_each_energy() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screened(ordering_cell(rocksalt(), "Mg", max_sites=20), "Mg", 2, Toy(), most=9, on_energy=stop)


def phase(name: str, n_ions: int, energy_ev: float) -> Phase:
    crystal = spinel()
    gaps = sites_of(crystal)[n_ions:]
    return Phase(name=name, n_ions=n_ions, energy_ev=energy_ev, crystal=without(crystal, gaps))


def test_steps_follow_from_energies_by_hand() -> None:
    """Metal at -1 eV, 3 V down to the half and 2 V from there: 8 ions of charge 2."""
    full_ev = -100.0
    half_ev = full_ev + 4 * (2 * 2.0 + 1.0)
    empty_ev = half_ev + 4 * (2 * 3.0 + 1.0)
    phases = [
        phase("full", 8, full_ev), phase("half", 4, half_ev), phase("worse half", 4, half_ev + 0.5),
        phase("quarter", 2, (half_ev + empty_ev) / 2 + 0.1), phase("empty", 0, empty_ev),
    ]  # fmt: skip
    curve = voltage_curve(phases, "Mg", -1.0)
    assert curve.stable == ("empty", "half", "full")
    assert [(it.x_low, it.x_high) for it in curve.steps] == [(0.0, 0.5), (0.5, 1.0)]
    assert [it.voltage_v for it in curve.steps] == pytest.approx([3.0, 2.0])


def test_a_negative_voltage_is_a_voltage() -> None:
    curve = voltage_curve([phase("empty", 0, -100.0), phase("full", 8, -100.0 - 8 + 8 * 2 * 0.5)], "Mg", -1.0)
    assert [it.voltage_v for it in curve.steps] == pytest.approx([-0.5])


def test_a_curve_without_its_ends_is_refused() -> None:
    with pytest.raises(OrderingError, match="empty and the full"):
        voltage_curve([phase("half", 4, -1.0), phase("full", 8, -2.0)], "Mg", -1.0)


def _fields(crystal: Crystal) -> dict:
    return {
        "id": crystal.id, "formula": crystal.formula, "lattice_a": crystal.lattice_a, "species": crystal.species,
        "frac": crystal.frac, "source": crystal.source,
    }  # fmt: skip
