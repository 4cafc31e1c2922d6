"""What a run is called, and what is refused before anything is started."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.dynamics import QUICK
from core.errors import DynamicsError, JobError, NoWorkingIonError, PotentialError, UnknownIonError
from core.jobs import JobSpec, adapted
from tests.dynamics.toys import SHORT, rocksalt


def test_a_spec_survives_json(make_spec):
    spec = make_spec(seed=3)
    again = JobSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again.job_id == spec.job_id and again.protocol == spec.protocol
    assert np.array_equal(again.crystal.lattice_a, spec.crystal.lattice_a)


def test_the_name_tells_what_it_is_and_holds_all_that_decides(make_spec):
    spec = make_spec()
    assert spec.job_id.startswith("toy-MgO-toy-short-600K-s0-")
    moved = replace(spec.crystal, frac=spec.crystal.frac + 1e-3)
    others = [
        make_spec(seed=1), make_spec(protocol=SHORT.with_changes(nvt_ps=0.2)), make_spec(crystal=moved),
        make_spec(potential="nequip-mp"), make_spec(refine_rounds=0, protocol=SHORT.with_changes(temperature_k=700.0)),
    ]  # fmt: skip
    assert len({spec.job_id, *(other.job_id for other in others)}) == 6
    assert [other.material_key == spec.material_key for other in others] == [True, False, False, False, False]


def test_the_name_does_not_depend_on_how_a_number_is_written(make_spec):
    one, other = (make_spec(protocol=SHORT.with_changes(temperature_k=value)) for value in (700, 700.0))
    assert one.job_id == other.job_id
    assert make_spec(device="auto").job_id == make_spec(device="cpu").job_id


def test_runs_of_a_material_share_one_refinement(make_spec, monkeypatch):
    monkeypatch.setattr("core.jobs.spec.REFINABLE", ("toy",))
    one = make_spec(refine_rounds=1)
    hotter = make_spec(refine_rounds=1, seed=4, protocol=SHORT.with_changes(temperature_k=700.0))
    assert hotter.refinement_key == one.refinement_key != make_spec(refine_rounds=2).refinement_key
    assert one.potential_name == "toy refined" and one.job_id.startswith("toy-MgO-toy_refined-short-")


def test_a_name_is_safe_whatever_the_id(make_spec):
    id = "../../<b>'; DROP " + "x" * 80
    assert make_spec(id=id, crystal=replace(rocksalt(), id=id)).job_id.startswith("b_DROP_x")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"working_ion": "Fe"}, UnknownIonError),
        ({"working_ion": "Ca"}, NoWorkingIonError),
        ({"potential": "crystal-ball"}, PotentialError),
        ({"seed": -1}, JobError),
        ({"refine_rounds": 9}, JobError),
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
