"""A run from its first step or its checkpoint to the end, a stop that was asked for, or a check that failed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase.md.md import MolecularDynamics
from ase.md.velocitydistribution import Stationary

from core.dynamics.calculator import StepCalculator
from core.dynamics.checkpoint import Checkpoint, damaged, fingerprint, load_checkpoint, save_checkpoint
from core.dynamics.drift import drift_problem, nve_drift
from core.dynamics.integrators import integrator, recall, stage_at
from core.dynamics.progress import Clock, Outcome, Progress
from core.dynamics.protocol import Protocol
from core.dynamics.state import RunState, displacements_a2
from core.dynamics.system import System
from core.dynamics.trajectory import Header, TrajectoryWriter
from core.dynamics.watchdog import Tripped, Watchdog, temperatures_k
from core.errors import PotentialError
from core.potentials import Potential
from core.units import FS_PER_PS

REPORT_STEPS: Final = 50
"""Steps between thorough checks; fixed in steps, so that a resumed run checks at the same ones."""

REPORT_S: Final = 5.0
"""Progress is told at least this often, if the potential is slow."""

CHECKPOINT_S: Final = 30.0
POLL_S: Final = 0.5

_MEMORY_PREFIX = "integrator:"


class _StopAsked(Exception):
    """Somebody wants the run to end here."""


def simulate(
    system: System, potential: Potential, protocol: Protocol, *, seed: int, folder: Path,
    on_progress: Callable[[Progress], None] | None = None, should_stop: Callable[[], bool] | None = None,
    checkpoint_s: float = CHECKPOINT_S,
) -> Outcome:  # fmt: skip
    """Run a protocol in a folder, from its checkpoint if there is one; on CPU a resumed run has the same bits.

    `folder` receives trajectory and checkpoint, the latter every `checkpoint_s` seconds and at the end. The potential
    must depend on nothing but the atoms that it is given. Raises `UnsupportedElementError` before the first step, and
    `CheckpointError` for a checkpoint that is damaged or of another run, or a disk that takes no more; what the
    watchdog stops is no error but an outcome.
    """
    potential.require(system.atoms.get_chemical_symbols())
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(system, potential, protocol, seed, folder)
    run.on_progress, run.should_stop = on_progress, should_stop
    run.clock = Clock(run.state, report=REPORT_S, poll=POLL_S, checkpoint=checkpoint_s)
    return run.go()


class _Run:
    """One sitting of a run."""

    on_progress: Callable[[Progress], None] | None = None
    should_stop: Callable[[], bool] | None = None
    clock: Clock

    def __init__(
        self, system: System, potential: Potential, protocol: Protocol, seed: int, folder: Path
    ) -> None:
        self.system, self.potential, self.protocol, self.folder = system, potential, protocol, folder
        self.owner = fingerprint(system, potential, protocol, seed)
        self.watchdog = Watchdog(system.atoms, system.working_ion, protocol.temperature_k)
        self.atoms = system.atoms.copy()
        self.atoms.calc = StepCalculator(potential)
        self.stage = ""
        self.dynamics: MolecularDynamics | None = None
        self.state = self._load() or RunState.fresh(
            self.atoms, len(self.watchdog.species), protocol.temperature_k, seed
        )
        n_frames = self.state.step // protocol.frame_steps + 1 if self.state.step else 0
        header = Header(
            species=tuple(self.atoms.get_chemical_symbols()), time_step_fs=protocol.time_step_fs,
            frame_steps=protocol.frame_steps, n_npt_frames=protocol.n_equilibration_steps // protocol.frame_steps + 1,
        )  # fmt: skip
        self.writer = TrajectoryWriter(folder, header, n_frames=n_frames)

    def go(self) -> Outcome:
        """Run to the end and say which."""
        try:
            self._start()
            while self.state.step < self.protocol.n_steps:
                self._poll()
                self._advance()
        except _StopAsked:
            self._save()
            return self._outcome("stopped", "stopped on request; it can be resumed.")
        except Tripped as found:
            self.writer.flush()
            return self._outcome("aborted", str(found), found.cause)
        except (PotentialError, np.linalg.LinAlgError) as error:
            self.writer.flush()
            return self._outcome("aborted", str(error), "not finite")
        self._save()
        return self._outcome("finished", "all steps were made.")

    def _start(self) -> None:
        if self.state.step:
            return
        self.watchdog.pairs(self.atoms)
        self.state.start_ev_per_atom = self.atoms.get_potential_energy() / len(self.atoms)
        if not np.isfinite(self.state.start_ev_per_atom):
            raise Tripped("not finite", "the potential gives no finite energy at the start. Use another one.")
        self.writer.append(self.atoms)

    def _advance(self) -> None:
        """Make one step, check it, keep what is due."""
        state, protocol = self.state, self.protocol
        dynamics: Any = self._integrator(stage_at(protocol, state.step))
        dynamics.step()
        state.step += 1
        self.watchdog.each_step(self.atoms)
        if self.stage == "npt" and state.step > protocol.n_settle_steps + protocol.n_npt_steps // 2:
            state.add_cell()
        if state.step % protocol.frame_steps == 0:
            self.writer.append(self.atoms)
        if state.step % REPORT_STEPS == 0 or state.step == protocol.n_steps:
            self._check()
        elif self.clock.due("report"):
            self._report(self._msd_a2())
        if self.clock.due("checkpoint"):
            self._save()

    def _integrator(self, stage: str) -> MolecularDynamics:
        """Return the integrator at work; where a stage begins, a new one with what goes before it."""
        if self.dynamics is None or stage != self.stage:
            if stage == "npt":
                Stationary(self.atoms)
            else:
                self.state.take_mean_cell()
            if stage == "nvt":
                self._test_drift()
                self.state.count_from_here()
            self.dynamics, self.stage = integrator(stage, self.atoms, self.protocol, self.state.rng), stage
        return self.dynamics

    def _test_drift(self) -> None:
        time_step_fs, n_steps = self.protocol.time_step_fs, self.protocol.n_drift_steps
        if not n_steps:
            return
        drift = nve_drift(self.atoms, self.potential, time_step_fs, n_steps, on_step=self._poll)
        self.state.drift_mev_per_atom_per_ps = drift
        if problem := drift_problem(drift, time_step_fs):
            raise Tripped("drift", problem)

    def _check(self) -> None:
        msd_a2 = self._msd_a2()
        if self.state.step > self.protocol.n_equilibration_steps:
            self.state.temperature_sum_k = self.state.temperature_sum_k + temperatures_k(
                self.atoms, self.watchdog.species
            )
            self.state.n_samples += 1
        self.watchdog.each_report(self.atoms, self.state, msd_a2)
        self._report(msd_a2)

    def _msd_a2(self) -> dict[str, float]:
        """Return mean-square displacements by species, and of the framework as a whole under ''."""
        squared = displacements_a2(self.atoms, self.state.reference_frac, self.system.working_ion)
        framework = np.array(self.atoms.get_chemical_symbols()) != self.system.working_ion
        by_species = {name: float(squared[where].mean()) for name, where in self.watchdog.species.items()}
        return by_species | {"": float(squared[framework].mean())}

    def _report(self, msd_a2: dict[str, float]) -> None:
        self.clock.done("report")
        if self.on_progress is None:
            return
        self.writer.flush()
        state, protocol, atoms = self.state, self.protocol, self.atoms
        self.on_progress(
            Progress(
                phase="nvt" if state.step > protocol.n_equilibration_steps else "npt",
                step=state.step, n_steps=protocol.n_steps,
                time_ps=state.step * protocol.time_step_fs / FS_PER_PS,
                temperature_k=float(atoms.get_temperature()),
                energy_ev_per_atom=float(atoms.get_potential_energy() / len(atoms)),
                volume_a3=float(atoms.get_volume()),
                msd_mobile_a2=msd_a2[self.system.working_ion], msd_framework_a2=msd_a2[""],
                seconds_per_step=self.clock.seconds_per_step,
            )
        )  # fmt: skip

    def _poll(self) -> None:
        if self.should_stop is not None and self.clock.due("poll"):
            self.clock.done("poll")
            if self.should_stop():
                raise _StopAsked

    def _save(self) -> None:
        self.clock.count()
        self.writer.flush(to_disk=True)
        content = Checkpoint(arrays=self.state.arrays(self.dynamics), numbers=self.state.numbers())
        save_checkpoint(self.folder, self.owner, content)
        self.clock.done("checkpoint")

    def _load(self) -> RunState | None:
        """Return the state at the checkpoint with its integrator at work, or None where there is no checkpoint."""
        stored = load_checkpoint(self.folder, self.owner)
        if stored is None:
            return None
        try:
            state = RunState.from_stored(self.atoms, stored.arrays, stored.numbers)
            if state.step == 0:
                return state
            stage = stage_at(self.protocol, state.step - 1)
            remembered = {
                name.removeprefix(_MEMORY_PREFIX): value
                for name, value in stored.arrays.items()
                if name.startswith(_MEMORY_PREFIX)
            }
            self.dynamics, self.stage = integrator(stage, self.atoms, self.protocol, state.rng), stage
            recall(self.dynamics, remembered)
        except (KeyError, ValueError, TypeError) as error:
            raise damaged(self.folder, error) from error
        return state

    def _outcome(self, kind: str, reason: str, cause: str | None = None) -> Outcome:
        self.clock.count()
        state = self.state
        return Outcome(
            state=kind, reason=reason, cause=cause, n_steps=state.step, seconds=state.seconds,
            atom_steps_per_s=state.step * len(self.atoms) / max(state.seconds, 1e-9),
            drift_mev_per_atom_per_ps=state.drift_mev_per_atom_per_ps,
        )  # fmt: skip
