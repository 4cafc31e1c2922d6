"""What a run is called, and what is refused before anything is started."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.calculations import read_spec
from core.dynamics import QUICK, adapted
from core.errors import CalculationError, DynamicsError, NoWorkingIonError, PotentialError, UnknownIonError
from tests.dynamics.toys import SHORT
from tests.tasks.toy_potential import refinable_card


def test_a_spec_survives_json(make_spec):
    spec = make_spec(seed=3)
    again = read_spec(json.loads(json.dumps(spec.to_dict())))
    assert again.name == spec.name and again.protocol == spec.protocol
    assert np.array_equal(again.crystal.lattice_a, spec.crystal.lattice_a)


def test_the_name_tells_what_it_is_and_holds_all_that_decides(make_spec):
    spec = make_spec()
    assert spec.name.startswith("toy-MgO-toy-short-600K-s0-")
    moved = replace(spec.crystal, frac=spec.crystal.frac + 1e-3)
    others = [
        make_spec(seed=1), make_spec(protocol=SHORT.with_changes(nvt_ps=0.2)), make_spec(crystal=moved),
        make_spec(potential="nequip-mp"), make_spec(refine_rounds=0, protocol=SHORT.with_changes(temperature_k=700.0)),
    ]  # fmt: skip
    assert len({spec.name, *(other.name for other in others)}) == 6
    assert [other.measurement_key == spec.measurement_key for other in others] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_the_name_does_not_depend_on_how_a_number_is_written(make_spec):
    one, other = (make_spec(protocol=SHORT.with_changes(temperature_k=value)) for value in (700, 700.0))
    assert one.name == other.name
    assert make_spec(device="auto").name == make_spec(device="cpu").name


def test_runs_of_a_material_share_one_refinement(make_spec, monkeypatch):
    monkeypatch.setattr("tests.tasks.toy_potential.card", refinable_card)
    one = make_spec(refine_rounds=1)
    hotter = make_spec(refine_rounds=1, seed=4, protocol=SHORT.with_changes(temperature_k=700.0))
    assert hotter.needs()[0].key == one.needs()[0].key != make_spec(refine_rounds=2).needs()[0].key
    assert not make_spec().needs()
    assert one.potential_name == "toy refined" and one.name.startswith("toy-MgO-toy_refined-short-")


def test_a_name_is_safe_whatever_the_id(make_spec):
    id = "../../<b>'; DROP " + "x" * 80
    assert make_spec(id=id).name.startswith("b_DROP_x")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"working_ion": "Fe"}, UnknownIonError),
        ({"working_ion": "Ca"}, NoWorkingIonError),
        ({"potential": "crystal-ball"}, PotentialError),
        ({"seed": -1}, CalculationError),
        ({"refine_rounds": 9}, CalculationError),
        ({"refine_rounds": 1}, CalculationError),
    ],
)
def test_what_could_never_run_is_refused(make_spec, changes, error):
    with pytest.raises(error):
        make_spec(**changes)


def test_other_numbers_have_another_name():
    hot = adapted(QUICK, temperature_k=1500.0, nvt_ps=None)
    assert (hot.name, hot.temperature_k) == ("quick", 1500.0)
    longer = adapted(QUICK, nvt_ps=12.0, npt_ps=QUICK.npt_ps)
    assert longer.name == "quick-changed" and "nvt_ps 12" in longer.description
    assert adapted(QUICK, min_atoms=400).max_atoms == 500
    assert adapted(QUICK, npt_ps=0.1).settle_ps == QUICK.settle_ps
    with pytest.raises(DynamicsError):
        adapted(QUICK, nvt_ps=-1.0)
