"""Potentials made ready for a run: compiled where they offer it, fine-tuned where that was asked for."""

import subprocess
from pathlib import Path

import pytest

from core.errors import JobError, PotentialError
from core.jobs import potential as ready_module
from core.jobs import queue
from core.jobs.potential import COMPILE_FROM_ATOM_STEPS, Ready, ready_potential, refined_potential
from core.jobs.worker import run_job
from core.potentials.nequip_mg import potential as student_module
from core.potentials.nequip_mg import refine as refine_module
from core.potentials.nequip_mg.refine import Refinement
from tests.dynamics.toys import Toy

ERRORS = {"rounds": 1, "force_mae_before_ev_per_a": 0.3, "force_mae_after_ev_per_a": 0.1, "n_frames": 60}


class Student(Toy):
    """Stands for nequip-mg: it can be compiled, if it is allowed to."""

    trouble: Exception | None = None
    name = "nequip-mg"
    is_compiled = False

    def compile(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.is_compiled = True


@pytest.fixture
def student(monkeypatch):
    monkeypatch.setattr(student_module, "NequipMg", Student)
    monkeypatch.setattr(ready_module, "load_potential", lambda *_, **__: Student())
    return Student


def test_a_potential_without_a_compiler_is_taken_as_it_is():
    ready = ready_potential("toy", "cpu")
    assert (ready.potential.name, ready.notes, ready.refinement) == ("toy", [], None)


def test_the_student_is_compiled_for_a_long_run(student):
    stages = []
    ready = ready_potential("nequip-mg", "cpu", stages.append, atom_steps=COMPILE_FROM_ATOM_STEPS)
    assert ready.potential.is_compiled
    assert stages == ["loading the potential", "compiling the potential, once for this machine"]


def test_a_short_run_is_over_sooner_without_compiling(student):
    assert not ready_potential(
        "nequip-mg", "cpu", atom_steps=COMPILE_FROM_ATOM_STEPS - 1
    ).potential.is_compiled


@pytest.mark.parametrize(
    "trouble", [PotentialError("No C++ compiler found"), subprocess.TimeoutExpired("g++", 1)]
)
def test_without_a_compiler_it_runs_slower_and_says_so(student, monkeypatch, trouble):
    monkeypatch.setattr(Student, "trouble", trouble)
    ready = ready_potential("nequip-mg", "cpu", atom_steps=COMPILE_FROM_ATOM_STEPS)
    assert not ready.potential.is_compiled and "without being compiled" in ready.notes[0]


def test_refinement_gives_the_new_student_and_its_errors(make_spec, student, monkeypatch, tmp_path):
    asked = {}

    def refine(crystal, working_ion, teacher, *, folder: Path, rounds, seed, on_stage) -> Refinement:
        asked.update(crystal=crystal.id, folder=folder, rounds=rounds, seed=seed)
        on_stage("refining")
        return Refinement(folder=folder, force_mae_ev_per_a=(0.3, 0.1), n_frames=60)

    monkeypatch.setattr(refine_module, "refine", refine)
    monkeypatch.setattr(student_module, "read_card", lambda folder: None)
    monkeypatch.setattr(student_module, "NequipMg", lambda card, **_: Student())
    monkeypatch.setattr(ready_module, "_compiled", lambda potential, say, atom_steps: [])
    spec = make_spec(seed=5)
    ready = refined_potential(spec, "cpu", tmp_path, lambda stage: None)
    assert ready.refinement == ERRORS
    folder = tmp_path / ".refined" / spec.refinement_key
    assert asked == {"crystal": "toy-MgO", "folder": folder, "rounds": 0, "seed": 0}


def test_a_refined_run_carries_its_errors(make_spec, monkeypatch):
    monkeypatch.setattr("core.jobs.spec.REFINABLE", ("toy",))
    monkeypatch.setattr(
        "core.jobs.worker.refined_potential", lambda *_, **__: Ready(potential=Toy(), refinement=ERRORS)
    )
    job = run_job(queue.prepare(make_spec(refine_rounds=1)).path)
    assert job.result["refinement"] == ERRORS


def test_a_stop_is_heard_while_the_potential_is_made_ready(make_spec, monkeypatch):
    folder = queue.prepare(make_spec())

    def slow(name, device, say, *, atom_steps):
        folder.cancel_flag.touch()
        say("compiling")

    monkeypatch.setattr("core.jobs.worker.ready_potential", slow)
    assert run_job(folder.path).state == "cancelled"


def test_what_cannot_be_refined_is_refused(make_spec):
    with pytest.raises(JobError, match="can't be fine-tuned"):
        make_spec(refine_rounds=1)
