"""Simulations that break, cells too small, foreign elements, killed runs and spoilt checkpoints.

A melted framework is also in `tests/faults/test_transport.py`. Drift is taken off progress here, and off results in
`tests/transport/test_msd.py`. A run is killed by a real SIGKILL here, at every kind of step in
`tests/dynamics/test_run.py`.
"""

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from core.dynamics import Outcome, Protocol, build_system, read_trajectory, simulate
from core.dynamics.checkpoint import CHECKPOINT_FILE
from core.dynamics.state import RunState, displacements_a2, fractional
from core.dynamics.trajectory import FRAMES_FILE
from core.dynamics.watchdog import Tripped, Watchdog
from core.errors import CellTooSmallError, CheckpointError, UnsupportedElementError
from core.records import Crystal
from core.settings import ROOT
from tests.dynamics import toys

SHORT = toys.SHORT


def run(
    folder: Path, potential: toys.Toy | None = None, protocol: Protocol = SHORT, seed: int = 0
) -> Outcome:
    return simulate(toys.system(protocol), potential or toys.Toy(), protocol, seed=seed, folder=folder)


def watch() -> tuple[Watchdog, Atoms, RunState]:
    atoms = toys.system().atoms
    atoms.calc = toys.Toy().calculator()
    dog = Watchdog(atoms, "Mg", 600.0)
    state = RunState.fresh(atoms, len(dog.species), 600.0, 0)
    state.start_ev_per_atom = atoms.get_potential_energy() / len(atoms)
    return dog, atoms, state


STILL = {"Mg": 0.1, "O": 0.1}


@pytest.mark.parametrize("calls", [1, 30, 80])
def test_nan_forces_stop_the_run_at_the_next_step(tmp_path, calls):
    outcome = run(tmp_path, toys.Toy(spoil=lambda n: np.nan if n >= calls else 1.0))
    assert (outcome.state, outcome.cause) == ("aborted", "not finite") and outcome.n_steps <= calls + 1
    assert "finite" in outcome.reason or "NaN" in outcome.reason
    assert np.isfinite(read_trajectory(tmp_path).positions_a).all()


def test_heat_over_three_times_the_target_stops(tmp_path):
    outcome = run(tmp_path, toys.Toy(spoil=lambda n: -1.0 if n > 20 else 1.0))
    assert (outcome.state, outcome.cause) == ("aborted", "temperature")
    assert "over 3 times the 600 K" in outcome.reason and outcome.n_steps < SHORT.n_steps


@pytest.mark.parametrize("change_ev", [1.1, -1.1])
def test_energy_that_leaves_by_an_electronvolt_stops(change_ev):
    dog, atoms, state = watch()
    dog.each_report(atoms, state, STILL)
    state.start_ev_per_atom -= change_ev
    with pytest.raises(Tripped, match=r"energy went [+-]1\.10 eV/atom"):
        dog.each_report(atoms, state, STILL)


def test_a_close_pair_stops_before_the_potential_is_asked(tmp_path):
    crystal = toys.rocksalt()
    near = Crystal(
        id="near", formula="MgO", lattice_a=crystal.lattice_a, species=("Mg", "O"),
        frac=np.array([[0.0, 0.0, 0.0], [0.15, 0.15, 0.15]]), source="test",
    )  # fmt: skip
    potential = toys.Toy()
    system = build_system(near, "Mg", SHORT.with_changes(vacancy_fraction=0.0), 0)
    outcome = simulate(system, potential, SHORT, seed=0, folder=tmp_path)
    assert (outcome.state, outcome.cause, potential.n_calls) == ("aborted", "close pair", 0)
    assert "pair came to" in outcome.reason and "0.6 is the limit" in outcome.reason


def test_a_pair_across_the_cells_face_is_seen():
    dog, atoms, _ = watch()
    atoms.positions[0] = atoms.positions[-1] + atoms.cell.array[0] + [0.5, 0, 0]
    with pytest.raises(Tripped, match=r"pair came to 0\.50 angstrom"):
        dog.pairs(atoms)


def test_a_melted_framework_stops_and_says_why():
    dog, atoms, state = watch()
    dog.each_report(atoms, state, {"Mg": 50.0, "O": 0.3})
    with pytest.raises(Tripped, match=r"O of the framework moved by 10\.5") as found:
        dog.each_report(atoms, state, {"Mg": 0.0, "O": 10.5})
    assert found.value.cause == "framework melted"


def test_a_cell_that_flows_stops():
    dog, atoms, _ = watch()
    atoms.set_cell(
        atoms.cell.array @ np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0, 0, 1]]), scale_atoms=True
    )
    with pytest.raises(Tripped, match="the cell was strained by 50%"):
        dog._cell(atoms)


def test_a_drifting_crystal_has_not_moved():
    atoms = toys.system().atoms
    start = fractional(atoms)
    atoms.positions += [30.0, -4.0, 2.0]
    atoms.set_cell(1.03 * atoms.cell.array, scale_atoms=True)
    assert displacements_a2(atoms, start, "Mg").max() < 1e-20
    atoms.positions[atoms.symbols == "Mg"] += [1.0, 0.0, 0.0]
    moved = displacements_a2(atoms, start, "Mg")
    np.testing.assert_allclose(moved, np.where(atoms.symbols == "Mg", 1.0, 0.0), atol=1e-12)


def test_heat_that_is_not_shared_is_refused():
    dog, atoms, state = watch()
    state.n_samples = 50
    state.temperature_sum_k = 50 * np.array([600.0, 640.0])
    dog.each_report(atoms, state, STILL)
    state.temperature_sum_k = 50 * np.array([300.0, 900.0])
    with pytest.raises(Tripped, match="Mg has 300 K in the mean where 600 K are asked for"):
        dog.each_report(atoms, state, STILL)


def test_a_time_step_that_drifts_fails_the_protocol(tmp_path):
    n_before = SHORT.n_equilibration_steps + 2
    potential = toys.Toy(spoil=lambda n: 1.0 if n < n_before else 1.0 + 0.3 * ((n // 5) % 2))
    outcome = run(tmp_path, potential, SHORT.with_changes(drift_ps=0.2))
    assert (outcome.state, outcome.cause) == ("aborted", "drift")
    assert outcome.drift_mev_per_atom_per_ps > 1 and "Run again with time_step_fs 1" in outcome.reason


def test_a_cell_too_small_is_refused():
    slab = Crystal(
        id="slab", formula="MgO", lattice_a=np.diag([3.0, 3.0, 60.0]), species=("Mg", "O") * 20,
        frac=np.random.default_rng(0).random((40, 3)), source="test",
    )  # fmt: skip
    with pytest.raises(CellTooSmallError, match=r"cell of 80 atoms is 3\.0 angstrom high; 7 are needed"):
        build_system(slab, "Mg", SHORT.with_changes(min_atoms=60, max_atoms=80), 0)
    few = SHORT.with_changes(vacancy_fraction=0.9, min_atoms=30, max_atoms=34)
    large = Crystal(
        id="large", formula="MgO31", lattice_a=8 * np.eye(3), species=("Mg",) * 2 + ("O",) * 30,
        frac=np.random.default_rng(0).random((32, 3)), source="test",
    )  # fmt: skip
    with pytest.raises(CellTooSmallError, match="2 or more must stay"):
        build_system(large, "Mg", few, 0)


def test_elements_that_the_potential_does_not_know_are_refused_before_the_first_step(tmp_path):
    crystal = toys.rocksalt()
    foreign = Crystal(
        id="x",
        formula="MgXe",
        lattice_a=crystal.lattice_a,
        species=("Mg", "Xe"),
        frac=crystal.frac,
        source="t",
    )
    with pytest.raises(UnsupportedElementError, match="not trained on Xe"):
        simulate(build_system(foreign, "Mg", SHORT, 0), toys.Toy(), SHORT, seed=0, folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_arrays_of_any_layout_give_the_same_run(tmp_path):
    crystal = toys.rocksalt()
    odd = Crystal(
        id=crystal.id, formula="MgO", lattice_a=np.asfortranarray(crystal.lattice_a), species=crystal.species,
        frac=np.repeat(crystal.frac, 2, axis=1)[:, ::2], source="test",
    )  # fmt: skip
    assert not odd.frac.flags.c_contiguous
    run(tmp_path / "plain")
    simulate(build_system(odd, "Mg", SHORT, 0), toys.Toy(), SHORT, seed=0, folder=tmp_path / "odd")
    first, second = ((tmp_path / name / FRAMES_FILE).read_bytes() for name in ("plain", "odd"))
    assert first == second


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from core.dynamics import simulate
    import toys

    def kill(n_calls):
        if n_calls == 80:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    simulate(toys.system(), toys.Toy(spoil=kill), toys.SHORT, seed=0, folder=Path(sys.argv[1]), checkpoint_s=0.05)
"""


def test_killed_and_resumed_equals_the_unbroken_run(tmp_path):
    code = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "killed")]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'dynamics'}"}
    assert subprocess.run(code, cwd=ROOT, env=environment, timeout=240).returncode == -9
    assert (tmp_path / "killed" / FRAMES_FILE).exists()
    assert run(tmp_path / "killed").state == "finished" and run(tmp_path / "whole").state == "finished"
    killed, whole = ((tmp_path / name / FRAMES_FILE).read_bytes() for name in ("killed", "whole"))
    assert killed == whole


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[:-200], lambda b: b"x" * 300, lambda b: b[:900] + b"??" + b[902:]]
)
def test_a_damaged_checkpoint_is_told_and_left_alone(tmp_path, damage):
    run(tmp_path)
    path = tmp_path / CHECKPOINT_FILE
    spoilt = damage(path.read_bytes())
    path.write_bytes(spoilt)
    with pytest.raises(CheckpointError, match=r"is damaged .* start in an empty folder"):
        run(tmp_path)
    assert path.read_bytes() == spoilt


def test_a_checkpoint_of_another_format_or_without_a_part_is_told(tmp_path):
    run(tmp_path)
    path = tmp_path / CHECKPOINT_FILE
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(path, **{name: value for name, value in arrays.items() if name != "momenta"})
    with pytest.raises(CheckpointError, match="momenta"):
        run(tmp_path)
    about = json.loads(str(arrays["about"])) | {"format": 2}
    np.savez(path, **arrays | {"about": np.array(json.dumps(about))})
    with pytest.raises(CheckpointError, match="its format is 2"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ("atoms, seed", {"seed": 1, "protocol": SHORT}),
        ("protocol", {"protocol": SHORT.with_changes(nvt_ps=0.2)}),
        ("potential", {"potential": toys.Toy(sha256="1" * 64)}),
    ],
)
def test_a_foreign_checkpoint_is_told_and_left_alone(tmp_path, told, options):
    run(tmp_path)
    before = (tmp_path / CHECKPOINT_FILE).read_bytes(), (tmp_path / FRAMES_FILE).read_bytes()
    seed = options.get("seed", 0)
    protocol = options.get("protocol", SHORT)
    with pytest.raises(CheckpointError, match=f"belongs to another run: it differs in {told}"):
        simulate(
            toys.system(protocol, seed),
            options.get("potential") or toys.Toy(),
            protocol,
            seed=seed,
            folder=tmp_path,
        )
    assert before == ((tmp_path / CHECKPOINT_FILE).read_bytes(), (tmp_path / FRAMES_FILE).read_bytes())


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path, monkeypatch):
    run(tmp_path, protocol=SHORT)
    path = tmp_path / CHECKPOINT_FILE
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"the disk .*is full.*last checkpoint is whole"):
        run(tmp_path)
    assert path.read_bytes() == before


def test_a_trajectory_shorter_than_its_checkpoint_is_told(tmp_path):
    run(tmp_path)
    os.truncate(tmp_path / FRAMES_FILE, 100)
    with pytest.raises(CheckpointError, match="its checkpoint counts 14"):
        run(tmp_path)
