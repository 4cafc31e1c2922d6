"""Hops of known crystals, the voids of their hosts, and how far open hops lead."""

from collections import Counter

import numpy as np
import pytest

from core.errors import BarrierError
from core.hops.cells import MAX_ATOMS, hop_cell, supercell
from core.hops.network import Network, NetworkHop, limit, network, reach
from core.hops.voids import voids
from core.records import Crystal

SPINEL_A = 8.33


def crystal(lattice_a: object, sites: list[tuple[str, tuple[float, float, float]]], id: str = "x") -> Crystal:
    species = tuple(element for element, _ in sites)
    return Crystal(
        id=id, formula="".join(sorted(set(species))), source="test", species=species,
        lattice_a=np.asarray(lattice_a, dtype=float), frac=np.array([place for _, place in sites]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def spinel() -> Crystal:
    """MgCr2O4, primitive, ideal oxygen parameter but for 0.01."""
    from pymatgen.core import Lattice, Structure

    made = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(SPINEL_A), ["Mg", "Cr", "O"],
        [[0.0, 0.0, 0.0], [0.625, 0.625, 0.625], [0.386, 0.386, 0.386]],
    ).get_primitive_structure()  # fmt: skip
    return crystal(made.lattice.matrix, [(site.specie.symbol, tuple(site.frac_coords)) for site in made])


@pytest.fixture(scope="module")
def layered() -> Crystal:
    """A layer of Mg in each cell of a tetragonal host, 3 angstrom within the layer and 7 between."""
    sites = [("Mg", (0.0, 0.0, 0.0)), ("Ni", (0.5, 0.5, 0.5)), ("O", (0.5, 0.5, 0.2)), ("O", (0.5, 0.5, 0.8))]
    return crystal(np.diag([3.0, 3.0, 7.0]), sites)


def test_a_spinel_has_one_hop_of_a_quarter_of_its_diagonal(spinel: Crystal) -> None:
    found = network(spinel, "Mg")
    assert found.n_ions == len(found.frac) == 2
    (hop,) = found.distinct
    assert hop.length_a == pytest.approx(SPINEL_A * np.sqrt(3.0) / 4.0, abs=1e-3)
    assert len(found.hops) == 4
    for it in found.hops:  # each says where it goes: the length follows from sites and image
        step = (found.frac[it.end] + it.image - found.frac[it.start]) @ found.lattice_a
        assert np.linalg.norm(step) == pytest.approx(it.length_a)


def test_the_voids_of_a_spinel_are_its_empty_octahedra(spinel: Crystal) -> None:
    found = voids(spinel, "Mg")
    assert len(found) == 4  # 16c: as many as chromium
    oxygen = np.array([p for p, s in zip(spinel.frac, spinel.species, strict=True) if s == "O"])
    for place in found:
        apart = oxygen - place
        lengths = np.sort(np.linalg.norm((apart - np.rint(apart)) @ spinel.lattice_a, axis=1))
        assert lengths[0] == pytest.approx(SPINEL_A / 4.0, abs=0.15)


def test_a_barrier_is_passed_once_its_hops_lead_on_without_end(layered: Crystal, spinel: Crystal) -> None:
    flat = network(layered, "Mg", max_hop_a=3.5)
    (label,) = {hop.label for hop in flat.hops}
    assert reach(flat, {label: 0.4}) == {1: 0.4, 2: 0.4, 3: None}
    assert reach(flat, {}) == {1: None, 2: None, 3: None}
    cubic = network(spinel, "Mg")
    assert reach(cubic, {hop.label: 0.6 for hop in cubic.hops}) == {1: 0.6, 2: 0.6, 3: 0.6}


def test_each_dimension_costs_the_worst_hop_on_its_best_way() -> None:
    along = [NetworkHop(label=i, start=0, end=0, image=image, length_a=3.0)
             for i, image in enumerate(((1, 0, 0), (0, 1, 0), (0, 0, 1)))]  # fmt: skip
    made = Network(lattice_a=np.eye(3) * 3.0, frac=np.zeros((1, 3)), n_ions=1, hops=tuple(along))
    assert reach(made, {0: 0.3, 1: 0.9, 2: 0.5}) == {1: 0.3, 2: 0.5, 3: 0.9}
    pair = [NetworkHop(label=0, start=0, end=1, image=(0, 0, 0), length_a=2.0),
            NetworkHop(label=1, start=1, end=0, image=(1, 0, 0), length_a=2.0)]  # fmt: skip
    chain = Network(
        lattice_a=np.eye(3) * 4.0, frac=np.array([[0, 0, 0], [0.5, 0, 0]]), n_ions=2, hops=tuple(pair)
    )
    assert reach(chain, {0: 0.2}) == {1: None, 2: None, 3: None}, "there and back is no way on"
    assert reach(chain, {0: 0.2, 1: 0.7}) == {1: 0.7, 2: None, 3: None}


def test_where_ions_are_too_far_apart_voids_are_sites(spinel: Crystal) -> None:
    kept = [
        i for i, element in enumerate(spinel.species) if element != "Mg" or i == spinel.species.index("Mg")
    ]
    thin = crystal(spinel.lattice_a, [(spinel.species[i], tuple(spinel.frac[i])) for i in kept])
    found = network(thin, "Mg", max_hop_a=3.0)
    assert found.n_ions == 1 and len(found.frac) > 1
    assert reach(found, {hop.label: 0.0 for hop in found.hops})[1] == 0.0


def test_the_cell_of_a_spinel_is_the_cubic_one_with_a_vacancy_or_an_ion(spinel: Crystal) -> None:
    found = network(spinel, "Mg")
    (hop,) = found.distinct
    full, empty = (hop_cell(spinel, "Mg", found, hop, end) for end in ("full", "empty"))
    assert Counter(full.atoms.symbols) == {"Mg": 7, "Cr": 16, "O": 32}
    assert Counter(empty.atoms.symbols) == {"Mg": 1, "Cr": 16, "O": 32}
    for it in (full, empty):
        assert it.atoms.symbols[-1] == "Mg"
        assert np.linalg.norm(it.step_a) == pytest.approx(hop.length_a)
        moved = it.atoms.copy()
        moved.positions[-1] += it.step_a
        for atoms in (it.atoms, moved):  # the ion stands on a site, at both ends: its oxygens are as near
            assert atoms.get_distances(-1, range(len(atoms) - 1), mic=True).min() == pytest.approx(
                1.96, abs=0.02
            )


def test_no_cell_larger_than_allowed_is_made() -> None:
    assert np.linalg.det(supercell(np.diag([4.0, 4.0, 4.0]), 5)) == pytest.approx(
        8
    )  # body-centred, of 4: 6.9 angstrom
    with pytest.raises(BarrierError, match=f"{MAX_ATOMS} atoms"):
        supercell(np.diag([3.0, 3.0, 3.0]), 30)


def test_a_crystal_without_the_ion_is_refused(spinel: Crystal) -> None:
    with pytest.raises(BarrierError, match="holds no Ca"):
        network(spinel, "Ca")


def test_no_hop_above_what_leads_everywhere_can_change_it() -> None:
    def hop(label: int, image: tuple[int, int, int]) -> NetworkHop:
        return NetworkHop(label=label, start=0, end=0, image=image, length_a=3.0)

    hops = (hop(0, (1, 0, 0)), hop(1, (0, 1, 0)), hop(2, (1, 1, 0)))
    plane = Network(lattice_a=np.eye(3) * 3.0, frac=np.zeros((1, 3)), n_ions=1, hops=hops)
    assert limit(plane, {}) == limit(plane, {0: 0.4}) == np.inf  # a second dimension is still to come
    assert limit(plane, {0: 0.4, 1: 0.9}) == 0.9  # the third hop helps if it is lower
    assert reach(plane, {0: 0.4, 1: 0.9, 2: 0.7})[2] == 0.7
