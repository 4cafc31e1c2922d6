"""Potentials made ready for a run: compiled where they offer it, fine-tuned as a calculation of their own."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from core.calculations.kinds import refinement as refinement_module
from core.calculations.kinds.diffusion import RefinementErrors
from core.calculations.kinds.diffusion.prepare import COMPILE_FROM_ATOM_STEPS, ready_potential
from core.errors import CalculationError, PotentialError, TrainingError
from core.potentials import Capabilities
from core.potentials.nequip_mg.refine import Refinement
from core.tasks import list_jobs, queue
from core.tasks.worker import run_job
from tests.dynamics.toys import Toy, card
from tests.tasks.toy_potential import refinable_card


class Compilable(Toy):
    """Says that it can be compiled, and is, if it is allowed to."""

    def __init__(self, trouble: Exception | None = None) -> None:
        super().__init__()
        self.card = replace(card(), capabilities=Capabilities(can_be_compiled=True))
        self.trouble, self.was_compiled = trouble, False

    @property
    def is_compiled(self) -> bool:
        return self.was_compiled

    def compile(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.was_compiled = True


def test_a_potential_that_cannot_be_compiled_is_taken_as_it_is():
    potential, notes = ready_potential(Toy, atom_steps=COMPILE_FROM_ATOM_STEPS)
    assert (potential.name, potential.is_compiled, notes) == ("toy", False, [])
    with pytest.raises(PotentialError, match="cannot be compiled"):
        potential.compile()


def test_one_that_can_is_compiled_for_a_long_run():
    stages = []
    potential, _ = ready_potential(Compilable, stages.append, atom_steps=COMPILE_FROM_ATOM_STEPS)
    assert potential.is_compiled
    assert stages == ["loading the potential", "compiling the potential, once for this machine"]


def test_a_short_run_is_over_sooner_without_compiling():
    assert not ready_potential(Compilable, atom_steps=COMPILE_FROM_ATOM_STEPS - 1)[0].is_compiled


@pytest.mark.parametrize(
    "trouble", [PotentialError("No C++ compiler found"), subprocess.TimeoutExpired("g++", 1)]
)
def test_without_a_compiler_it_runs_slower_and_says_so(trouble):
    potential, notes = ready_potential(lambda: Compilable(trouble), atom_steps=COMPILE_FROM_ATOM_STEPS)
    assert not potential.is_compiled and "without being compiled" in notes[0]


@pytest.fixture
def refined(monkeypatch) -> list[Path]:
    """A toy potential that can be refined; the folders in which that was done."""
    folders: list[Path] = []

    def refine(name, crystal, working_ion, *, folder, rounds, seed, device, on_stage) -> Refinement:
        on_stage(f"refining {crystal.id}, {rounds} rounds, seed {seed}")
        folders.append(folder)
        (folder / "student-1").mkdir(exist_ok=True)
        return Refinement(folder=folder / "student-1", force_mae_ev_per_a=(0.3, 0.1), n_frames=60)

    monkeypatch.setattr("tests.tasks.toy_potential.card", refinable_card)
    monkeypatch.setattr(refinement_module, "refine_potential", refine)
    monkeypatch.setattr("core.calculations.kinds.diffusion.work.load_refined", lambda *_, **__: Toy())
    return folders


def test_what_a_run_needs_is_done_first_and_once(make_spec, refined):
    job = run_job(queue.prepare(make_spec(refine_rounds=1)).path)
    assert (job.state, job.error) == ("finished", None)
    errors = RefinementErrors(
        rounds=1, force_mae_before_ev_per_a=0.3, force_mae_after_ev_per_a=0.1, n_frames=60
    )
    assert job.result.refinement == errors and job.result.potential == "toy refined"
    listed = {it.spec.kind: it for it in list_jobs()}
    assert listed["refinement"].result.weights == "student-1"
    assert listed["refinement"].path == refined[0]
    run_job(queue.prepare(make_spec(refine_rounds=1, seed=1)).path)
    assert len(refined) == 1 and len(list_jobs()) == 3


def test_a_need_that_fails_fails_the_run_with_the_reason(make_spec, refined, monkeypatch):
    def fail(*_, **__):
        raise TrainingError("the disk is full")

    monkeypatch.setattr(refinement_module, "refine_potential", fail)
    job = run_job(queue.prepare(make_spec(refine_rounds=1)).path)
    assert job.state == "failed" and "which this run needs, is failed: the disk is full" in job.error


def test_a_stop_is_heard_while_a_need_is_worked_on(make_spec, refined, monkeypatch):
    folder = queue.prepare(make_spec(refine_rounds=1))

    def slow(*_, on_stage, **__):
        folder.cancel_flag.touch()
        on_stage("training")

    monkeypatch.setattr(refinement_module, "refine_potential", slow)
    assert run_job(folder.path).state == "cancelled"
    states = {it.spec.kind: it.state for it in list_jobs()}
    assert states == {"diffusion": "cancelled", "refinement": "interrupted"}


def test_a_stop_is_heard_while_the_potential_is_made_ready(make_spec, monkeypatch):
    folder = queue.prepare(make_spec())

    def slow(make, say, *, atom_steps):
        folder.cancel_flag.touch()
        say("compiling")

    monkeypatch.setattr("core.calculations.kinds.diffusion.work.ready_potential", slow)
    assert run_job(folder.path).state == "cancelled"


def test_what_cannot_be_refined_is_refused(make_spec):
    with pytest.raises(CalculationError, match="can't be fine-tuned"):
        make_spec(refine_rounds=1)
