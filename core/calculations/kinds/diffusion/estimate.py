"""How long a run will take on this machine, from steps that were really made."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch

from core.calculations.kinds.diffusion.prepare import COMPILE_FROM_ATOM_STEPS, ready_potential
from core.calculations.kinds.diffusion.spec import DiffusionSpec
from core.dynamics import build_system, expected_seconds, measure_step
from core.potentials import Potential, load_potential
from core.settings import Settings, resolve_device

_TIMED_STEPS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Size of a run and its time if nothing else works on the machine and no other run waits before it."""

    n_atoms: int
    n_working_ions: int
    seconds_per_step: float
    n_steps: int
    expected_seconds: float

    @property
    def atom_steps_per_s(self) -> float:
        """Speed of the potential on this system."""
        return self.n_atoms / self.seconds_per_step


def estimate(spec: DiffusionSpec) -> Estimate:
    """Return size and expected time of a run by timing steps of the very system on the very device.

    For a long run a potential that can be compiled for the machine is so first, once, in a minute or two; refinement,
    which comes before the first step, is not counted.
    Raises `DeviceError`, `PotentialError` kinds and `StructureError` kinds for what could not run either.
    """
    system = build_system(spec.crystal, spec.working_ion, spec.protocol, spec.seed)
    is_long = system.n_atoms * spec.protocol.n_steps >= COMPILE_FROM_ATOM_STEPS
    potential = _loaded(spec.potential, resolve_device(spec.device), is_long)
    threads = torch.get_num_threads()
    torch.set_num_threads(Settings.from_environment().job_threads)
    try:
        seconds_per_step = measure_step(system.atoms, potential, n=_TIMED_STEPS)
    finally:
        torch.set_num_threads(threads)
    return Estimate(
        n_atoms=system.n_atoms, n_working_ions=system.n_mobile, seconds_per_step=seconds_per_step,
        n_steps=spec.protocol.n_steps,
        expected_seconds=expected_seconds(spec.protocol, system.n_atoms, seconds_per_step),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _loaded(name: str, device: str, is_long: bool) -> Potential:
    """Kept: a page asks again with every change of the protocol."""
    atom_steps = COMPILE_FROM_ATOM_STEPS if is_long else 0
    return ready_potential(
        lambda: load_potential(name, device=device, dtype="float32"), atom_steps=atom_steps
    )[0]
