"""From frames of known walks to figures, pooled seeds, a barrier and the release."""

import os
from dataclasses import asdict, replace

import numpy as np
import pytest

from core.calculations.kinds.conductivity import ConductivityResult, barrier, pool
from core.calculations.kinds.diffusion import DiffusionResult
from core.calculations.kinds.diffusion.analysis import analyse, to_trajectory
from core.calculations.kinds.diffusion.displacements import DISPLACEMENTS_FILE, read_displacements
from core.calculations.kinds.diffusion.visited import VISITED_FILE, read_visited, visited
from core.dynamics import read_trajectory
from core.errors import (
    CalculationError,
    JobError,
    RecordError,
    RunFileError,
    StoreWriteError,
    TooFewTemperaturesError,
    TransportError,
)
from core.store import open_reader
from core.tasks import RunFolder, merge
from core.tasks.seal import SEAL_FILE
from core.transport import nernst_einstein_ms_per_cm
from core.units import BOLTZMANN_EV_PER_K
from tests.dynamics.toys import SHORT
from tests.store.small_release import crystals, make_release
from tests.tasks.made_runs import N_FRAMES, d_of_step, walked

STEP_A = 0.15


def result_of(path) -> dict:
    return asdict(RunFolder(path=path).result())


def pool_runs(paths) -> ConductivityResult:
    return pool([RunFolder(path=path).calculation() for path in paths]).result


def test_a_known_walk_gives_its_diffusivity_and_conductivity(make_spec, runs):
    result = result_of(walked(make_spec(), runs, step_a=STEP_A))
    assert (result["verdict"], result["regime"], result["confidence"]) == ("diffusive", "diffusive", 0.9)
    assert result["d_low_cm2_per_s"] < d_of_step(STEP_A) < result["d_high_cm2_per_s"]
    expected = nernst_einstein_ms_per_cm(
        result["d_cm2_per_s"], n_ions=26, charge_number=2, volume_a3=32 * 16.0, temperature_k=600.0
    )
    assert result["sigma_ms_per_cm"] == pytest.approx(expected, rel=1e-6)
    assert result["sigma_low_ms_per_cm"] < result["sigma_ms_per_cm"] < result["sigma_high_ms_per_cm"]
    assert len(result["axes"]) == 3
    line = result["fit"]
    slope = (line["msd_a2"][1] - line["msd_a2"][0]) / (line["lag_ps"][1] - line["lag_ps"][0])
    assert slope * 1e-4 / 6 == pytest.approx(result["d_cm2_per_s"], rel=1e-3)
    assert line["low_a2"][1] < line["msd_a2"][1] < line["high_a2"][1]


def test_rest_has_a_limit_alone(make_spec, runs):
    result = result_of(walked(make_spec(), runs, step_a=0.0))
    assert (
        result["verdict"] == "upper limit"
        and result["d_high_cm2_per_s"] > 0
        and result["sigma_high_ms_per_cm"] > 0
    )
    assert (
        result["d_cm2_per_s"]
        is result["sigma_ms_per_cm"]
        is result["d_low_cm2_per_s"]
        is result["fit"]
        is None
    )


def test_a_potential_out_of_its_depth_has_no_figures(make_spec, runs):
    result = result_of(walked(make_spec(), runs, step_a=STEP_A, teacher_mae=0.9))
    assert result["verdict"] == "out of domain" and "0.900 eV/angstrom" in result["reason"]
    assert result["d_high_cm2_per_s"] is None and result["msd"]
    assert (
        result_of(walked(make_spec(seed=1), runs, step_a=STEP_A, teacher_mae=0.1))["verdict"] == "diffusive"
    )


@pytest.mark.parametrize(
    ("cause", "verdict"), [("framework melted", "framework melted"), ("energy", "aborted")]
)
def test_what_the_watchdog_stops_has_its_verdict(make_spec, runs, cause, verdict):
    result = result_of(walked(make_spec(), runs, step_a=STEP_A, cause=cause))
    assert (result["verdict"], result["reason"]) == (verdict, f"it was the {cause}.")
    assert result["d_high_cm2_per_s"] is None


def test_too_few_frames_and_frames_that_jump(make_spec, runs):
    short = walked(make_spec(), runs, step_a=0.1, n_frames=3)
    assert result_of(short)["verdict"] == "too short" and result_of(short)["simulated_ps"] == 0.0
    with pytest.raises(TransportError, match="3 frames of constant volume"):
        to_trajectory(read_trajectory(short))
    wild = walked(make_spec(seed=1), runs, step_a=3.0)
    assert analyse(read_trajectory(wild), "Mg", 600.0).verdict == "aborted"


def test_a_result_holds_together(make_spec, runs):
    result = RunFolder(path=walked(make_spec(), runs, step_a=STEP_A)).result()
    with pytest.raises(RecordError, match="is none of"):
        replace(result, verdict="splendid")
    with pytest.raises(RecordError, match="only that has one"):
        DiffusionResult.from_dict(result.to_dict() | {"verdict": "upper limit"})


def test_seeds_are_pooled_into_one_narrower_interval(make_spec, runs):
    paths = [walked(make_spec(seed=seed), runs, step_a=STEP_A) for seed in range(3)]
    pooled = pool_runs(paths)
    single = result_of(paths[0])
    assert (pooled.verdict, pooled.n_seeds, pooled.n_working_ions) == ("diffusive", 3, 26)
    assert pooled.simulated_ps == pytest.approx(3 * single["simulated_ps"])
    assert pooled.d_low_cm2_per_s < d_of_step(STEP_A) < pooled.d_high_cm2_per_s
    assert (
        pooled.d_high_cm2_per_s - pooled.d_low_cm2_per_s
        < single["d_high_cm2_per_s"] - single["d_low_cm2_per_s"]
    )
    assert pool_runs(paths[:1]).sigma_ms_per_cm == pytest.approx(single["sigma_ms_per_cm"])


def test_broken_seeds_are_left_out_and_a_melt_is_not(make_spec, runs):
    good = [walked(make_spec(seed=seed), runs, step_a=STEP_A) for seed in range(2)]
    broken = walked(make_spec(seed=2), runs, step_a=STEP_A, cause="energy")
    melted = walked(make_spec(seed=3), runs, step_a=STEP_A, cause="framework melted")
    lost = walked(make_spec(seed=4), runs, step_a=STEP_A, teacher_mae=0.9)
    assert (pool_runs([*good, broken]).verdict, pool_runs([*good, broken]).n_seeds) == ("diffusive", 2)
    assert pool_runs([broken]).verdict == "aborted"
    assert pool_runs([*good, melted]).verdict == "framework melted"
    assert pool_runs([*good, lost]).verdict == "out of domain"
    assert pool_runs([*good, lost]).teacher_force_mae_ev_per_a == pytest.approx(0.9)


def test_what_cannot_be_pooled_is_refused(make_spec, runs):
    one = walked(make_spec(), runs, step_a=STEP_A)
    hot = walked(make_spec(protocol=SHORT.with_changes(temperature_k=700.0)), runs, step_a=STEP_A)
    for paths, words in (
        ([], "0 runs"),
        ([one, hot], "2 runs of different kinds"),
        ([one, one], "given twice"),
    ):
        with pytest.raises(CalculationError, match=words):
            pool_runs(paths)
    other = walked(make_spec(seed=1), runs, step_a=STEP_A, n_frames=N_FRAMES // 2)
    with pytest.raises(TransportError, match="pool equal ones"):
        pool_runs([one, other])
    (other / DISPLACEMENTS_FILE).unlink()
    with pytest.raises(RunFileError, match=r"displacements\.npz is gone"):
        pool_runs([one, other])
    (other / SEAL_FILE).unlink()  # as of a run that is older than seals
    with pytest.raises(TransportError, match="were not kept"):
        pool_runs([one, other])
    (one / "result.json").unlink()
    with pytest.raises(JobError, match="has no result yet"):
        pool_runs([one])


def test_a_barrier_comes_back_from_walks_that_follow_it(make_spec, runs):
    barrier_ev, pooled = 0.2, []
    for temperature_k in (600.0, 800.0, 1000.0, 1200.0):
        step_a = 0.25 * np.exp(-barrier_ev / (2 * BOLTZMANN_EV_PER_K) * (1 / temperature_k - 1 / 1200.0))
        spec = make_spec(protocol=SHORT.with_changes(temperature_k=temperature_k))
        pooled.append(pool_runs([walked(spec, runs, step_a=step_a)]))
    found = barrier(pooled)
    assert found.n_temperatures == 4
    assert found.barrier_low_ev < barrier_ev < found.barrier_high_ev
    with pytest.raises(TooFewTemperaturesError):
        barrier(pooled[:2])


def test_the_path_is_laid_on_the_crystal_whatever_the_drift(make_spec, runs):
    path = walked(make_spec(), runs, step_a=0.0)
    trajectory = to_trajectory(read_trajectory(path))
    from core.dynamics import build_system

    system = build_system(make_spec().crystal, "Mg", SHORT, 0)
    ideal_frac = system.atoms.positions @ np.linalg.inv(system.unit_lattice_a)
    for drift in (0.0, 0.31, 1.7):
        moved = replace(trajectory, frac=trajectory.frac + drift)
        points = visited(
            moved, ideal_frac=ideal_frac, supercell_matrix=system.supercell_matrix, ion="Mg", max_points=500
        )
        assert 250 < len(points) <= 500 + 26
        assert np.abs(points - np.round(points)).max() < 0.15


def test_a_damaged_or_absent_path_is_none(tmp_path):
    folder = RunFolder(path=tmp_path)
    assert read_visited(folder.read_file) is None and read_displacements(folder.read_file) is None
    for name in (VISITED_FILE, DISPLACEMENTS_FILE):
        (tmp_path / name).write_bytes(b"PK not a zip")
    assert read_visited(folder.read_file) is None and read_displacements(folder.read_file) is None


@pytest.fixture
def release(tmp_path):
    folder = tmp_path / "precomputed"
    make_release(folder, "1")
    return folder


def pooled_of(report) -> dict:
    """The result of the one conductivity that a merge added."""
    (record,) = (it for it in report.added if it.kind == "conductivity")
    return record.result


def of_candidate(make_spec, **changes):
    crystal = next(it for it in crystals() if it.id == "mp-2")
    return make_spec(crystal=crystal, **changes)


def test_results_reach_the_release_once(make_spec, runs, release):
    paths = [walked(of_candidate(make_spec, seed=seed), runs, step_a=STEP_A) for seed in range(2)]
    report = merge(paths, release)
    added = pooled_of(report)
    assert len(report.added) == 3 and added["n_seeds"] == 2 and not report.skipped
    with open_reader(release) as reader:
        row = reader.candidate("mp-2")
        assert row["sigma_ms_per_cm"] == added["sigma_ms_per_cm"] and row["sigma_verdict"] == "diffusive"
        (stored,) = reader.conductivities("mp-2").to_dict("records")
        made_by = reader.provenance(stored["provenance_id"])
        assert (made_by["kind"], made_by["model_name"], made_by["seed"]) == ("mlmd", "toy", None)
        before = reader.release.version
    again = merge(paths, release)
    assert again.release is None and "already" in again.skipped[0].reason
    third = walked(of_candidate(make_spec, seed=2), runs, step_a=STEP_A)
    assert pooled_of(merge([third], release))["n_seeds"] == 3
    with open_reader(release) as reader:
        assert reader.release.version != before and len(reader.conductivities("mp-2")) == 2


def test_what_the_release_has_no_place_for_is_left_out(make_spec, runs, release):
    unknown = walked(make_spec(), runs, step_a=STEP_A)
    namesake = walked(make_spec(id="mp-2"), runs, step_a=STEP_A)
    unequal = [
        walked(of_candidate(make_spec, seed=seed), runs, step_a=STEP_A, n_frames=n)
        for seed, n in ((0, 200), (1, 400))
    ]
    report = merge([unknown, namesake, *unequal], release)
    assert {record.kind for record in report.added} == {"diffusion"}
    reasons = [item.reason for item in report.skipped]
    assert "No candidate" in reasons[0] and "another structure" in reasons[1] and "pool equal" in reasons[2]
    cooler = walked(
        of_candidate(make_spec, protocol=SHORT.with_changes(temperature_k=700.0)), runs, step_a=STEP_A
    )
    later = merge([cooler], release)
    assert pooled_of(later)["n_seeds"] == 1
    assert not later.skipped  # those that were left out before are no news
    hotter = SHORT.with_changes(temperature_k=900.0)
    unequal_too = [
        walked(of_candidate(make_spec, seed=seed, protocol=hotter), runs, step_a=STEP_A, n_frames=n)
        for seed, n in ((0, 200), (1, 400))
    ]
    (left_out,) = merge(unequal_too, release).skipped
    assert left_out.reason == reasons[2]  # another measurement, though the reason reads as the one before


def test_a_merge_that_cannot_write_leaves_the_release(make_spec, runs, release, monkeypatch):
    path = walked(of_candidate(make_spec), runs, step_a=STEP_A)
    before = sorted(it.name for it in release.iterdir())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreWriteError):
        merge([path], release)
    assert sorted(it.name for it in release.iterdir()) == before
    assert RunFolder(path=path).read("result.json")
