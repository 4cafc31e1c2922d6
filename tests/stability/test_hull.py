"""The hull over the shipped phases and over made ones: known decompositions, balance, and what is refused."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from pymatgen.core import Composition

from core.errors import HullError, ModelError
from core.stability import Hull, Phase, Phases, hull_folder, shipped_hull
from core.stability.phases import read_phases, read_table, stable_phases, write_phases

MADE = (
    Phase(formula="MgO", formation_energy_ev_per_atom=-3.0),
    Phase(formula="MgO2", formation_energy_ev_per_atom=-1.0),  # above the tie line from MgO to O
    Phase(formula="Cr2O3", formation_energy_ev_per_atom=-2.4),
    Phase(formula="Mg1Cr2O4", formation_energy_ev_per_atom=-2.7),
)


@pytest.fixture
def made() -> Hull:
    return Hull(Phases(MADE, version="made"))


@pytest.mark.parametrize("formula", ["MgCr2O4", "MgO", "Cr2O3", "LiCoO2", "MgF2", "MgS", "MgFeSiO4"])
def test_known_compounds_are_stable(formula: str) -> None:
    found = shipped_hull().decompose(Composition(formula).as_dict())
    assert [product.formula for product in found.products] == [Composition(formula).reduced_formula]
    assert found.products[0].amount == pytest.approx(1.0)


def test_oxides_form_the_spinel() -> None:
    """MgO + Cr2O3 -> MgCr2O4 gives energy; of two parts of MgO one is left over."""
    hull = shipped_hull()
    of = {name: hull.decompose(Composition(name).as_dict()) for name in ("MgO", "Cr2O3", "MgCr2O4")}
    spinel_ev = 7 * of["MgCr2O4"].energy_ev_per_atom
    assert spinel_ev < 2 * of["MgO"].energy_ev_per_atom + 5 * of["Cr2O3"].energy_ev_per_atom
    both = hull.decompose({"Mg": 2, "Cr": 2, "O": 5})
    assert {it.formula: pytest.approx(it.amount) for it in both.products} == {"MgCr2O4": 1.0, "MgO": 1.0}
    assert str(both) == "MgCr2O4 + MgO"


@pytest.mark.parametrize(
    "formula", ["MgMn2O4", "MgTi2S4", "Mg2Mo6S8", "MgV2O5", "CaMgAsO4F", "MgCrF6", "MnO2", "Li5FeO4"]
)
def test_products_balance_the_elements(formula: str) -> None:
    composition = Composition(formula).as_dict()
    total: Counter[str] = Counter()
    for product in shipped_hull().decompose(composition).products:
        for element, count in Composition(product.formula).as_dict().items():
            total[element] += count * product.amount
    assert dict(total) == pytest.approx(composition, abs=1e-6)


def test_a_made_hull_gives_the_energy_by_hand(made: Hull) -> None:
    found = made.decompose({"Mg": 1, "O": 2})
    assert found.energy_ev_per_atom == pytest.approx(-3.0 * 2 / 3)
    assert made.e_above_hull({"Mg": 1, "O": 2}, -1.0) == pytest.approx(1.0)
    assert made.e_above_hull({"Mg": 1, "O": 1}, -3.1) == pytest.approx(-0.1), "below the hull known here"


def test_of_a_table_the_stable_phases_give_the_same_hull(made: Hull) -> None:
    kept = stable_phases(Phases(MADE, version="made"))
    assert sorted(phase.formula for phase in kept) == ["Cr2O3", "Mg1Cr2O4", "MgO"]
    again = Hull(Phases(kept, version="kept"))
    for composition in ({"Mg": 1, "O": 2}, {"Mg": 1, "Cr": 1, "O": 3}, {"Cr": 1, "O": 2}):
        assert again.decompose(composition) == made.decompose(composition)


def test_the_energy_does_not_depend_on_how_many_units_are_asked() -> None:
    one, three = (shipped_hull().decompose({"Mg": n, "Mn": 2 * n, "O": 4 * n}) for n in (1, 3))
    assert three.energy_ev_per_atom == pytest.approx(one.energy_ev_per_atom)
    assert [it.amount for it in three.products] == pytest.approx([3 * it.amount for it in one.products])


def test_an_element_without_phases_is_refused() -> None:
    with pytest.raises(HullError, match=r"No phase of Og is known.*Choose a composition without"):
        shipped_hull().decompose({"Mg": 1, "Og": 1})


def test_a_system_without_compounds_falls_to_its_elements(made: Hull) -> None:
    found = made.decompose({"Mg": 1, "Cr": 1})
    assert found.energy_ev_per_atom == 0.0
    assert {it.formula for it in found.products} == {"Mg", "Cr"}


@pytest.mark.parametrize("composition", [{}, {"Mg": 0.0}, {"Mg": -1, "O": 1}, {"Mg": float("nan")}])
def test_no_composition_is_refused(made: Hull, composition: dict[str, float]) -> None:
    with pytest.raises(HullError, match="positive counts"):
        made.decompose(composition)


def test_an_energy_that_is_none_is_refused(made: Hull) -> None:
    with pytest.raises(HullError, match="eV/atom"):
        made.e_above_hull({"Mg": 1, "O": 1}, float("inf"))


def test_shipped_phases_are_small_and_come_back_the_same(tmp_path: Path) -> None:
    card = json.loads((hull_folder() / "phases.json").read_text())
    assert card["licence"] == "CC BY 4.0" and card["n_phases"] == len(read_phases(hull_folder()))
    assert (hull_folder() / "phases.csv.gz").stat().st_size < 1_500_000
    first, second = (write_phases(tmp_path / name, MADE, {}).read_bytes() for name in ("a", "b"))
    assert first == second


def test_damaged_or_missing_phases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        read_phases(tmp_path)
    folder = shutil.copytree(hull_folder(), tmp_path / "hull")
    (folder / "phases.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(HullError, match="not the one that its card names"):
        read_phases(folder)
    with pytest.raises(HullError, match="no table of formation energies"):
        read_table(folder / "phases.csv.gz")
    (folder / "phases.csv.gz").unlink()
    with pytest.raises(HullError, match="is missing"):
        read_phases(folder)
    with pytest.raises(HullError, match="--data FOLDER"):
        read_table(tmp_path / "nowhere.csv.gz")
