"""What two potentials say of a discharged crystal, of its frozen host and of the host as far as it was relaxed.

Only raw quantities: energies of the cells, forces, moments, moves, vectors summed by element. `features` makes numbers
of them that do not depend on the size of the cell, so that features can change without these hours of work.

The only inputs are lattice, species, coordinates and working ion of the discharged crystal.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import NDArray

from core.errors import PotentialError, RelaxationError
from core.potentials import Evaluation, Potential, load_potential
from core.records import Crystal
from core.relaxation import host_moves_a, relax, without
from core.voltage.kinds.frozen_host.backbones import ChgnetBackbone, ChgnetState, Floats, SevenNetBackbone
from core.voltage.kinds.frozen_host.features import frozen_host, reduced

RawEnds = dict[str, NDArray[Any]]
"""Arrays by name; see `raw_ends`."""

MAX_STEPS: Final = 12
"""Steps of the host's relaxation. On 31 labelled rows of up to 36 sites the frozen host's voltage lies 0.51 V above
that after 36 steps; 6 steps leave 0.08 V of it, 10 leave 0.04, 12 leave 0.03, 15 leave 0.02, 25 leave 0.01."""

ENDS_VERSION: Final = 1
"""To be raised whenever a raw quantity changes its meaning: ends kept by another version are then not read."""

STATES: Final = ("discharged", "frozen", "relaxed")


class Watched(Potential):
    """A potential that remembers what it was asked and what it answered."""

    def __init__(self, potential: Potential) -> None:
        super().__init__(potential.card, device=potential.device, dtype=potential.dtype)
        self.potential = potential
        self.seen: list[tuple[Atoms, Evaluation]] = []

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        found = self.potential.evaluate(atoms)
        self.seen.append((atoms, found))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """Both potentials in single precision: the learned remainder is a thousand times its error."""

    forces: Potential
    vectors: SevenNetBackbone
    chgnet: ChgnetBackbone

    @classmethod
    def load(cls) -> "Instruments":
        """Load the weights from the installed packages."""
        potential = load_potential("nequip-mp", device="cpu", dtype="float32")
        return cls(
            forces=potential, vectors=SevenNetBackbone(potential), chgnet=ChgnetBackbone(dtype="float32")
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Path:
    """How the host was relaxed: the crystal that it came to, and what was seen on the way."""

    crystal: Crystal
    seen: list[tuple[Atoms, Evaluation]] = field(default_factory=list)
    converged: bool = False
    broke: bool = False


def raw_ends(
    crystal: Crystal, working_ion: str, instruments: Instruments, *, max_steps: int = MAX_STEPS
) -> RawEnds:
    """Return the raw quantities of one discharged crystal with n sites, k elements, h host sites and s + 1 states seen.

    Energies in eV of the cell, forces in eV/angstrom, stresses in eV/cubic angstrom (ASE's sign), lengths in angstrom,
    moments in Bohr magnetons. By name:

    - `numbers` (n,), `elements` (k,): atomic numbers of the discharged cell, and those that the sums are over
    - `lattices_a` (3, 3, 3): of the three states; `relaxed_frac` (h, 3)
    - `steps` (s + 1, 5): energy, largest and mean force, mean pressure, volume; the frozen host first
    - `seven_ev` (4,): discharged, frozen, relaxed, half of the ions out and frozen (NaN for a lone ion)
    - `chgnet_ev` (3,): the first three of them
    - `seven_sites_ev.STATE`, `chgnet_sites_ev.STATE`, `moments.STATE`: of each site
    - `seven_sums.STATE` (k, 128), `chgnet_sums.STATE` (k, 64): vectors summed over the sites of an element
    - `forces.STATE`, `stress.STATE`, and `chgnet_forces`, `chgnet_stress` of the frozen host: sizes of forces, (3, 3)
    - `moves_a` (h,): of the host's atoms, in the mean cell, without the drift of all
    - `flags` (2,): whether the relaxation came to its end, whether it broke and was cut before

    Raises `StructureError` and `UnsupportedElementError` for what the potentials cannot take.
    """
    crystal = reduced(crystal)
    host = frozen_host(crystal, working_ion)
    states = dict(zip(STATES, (crystal, host, host), strict=True))
    whole = instruments.forces.evaluate(crystal.to_ase())
    path = _relaxed(host, instruments.forces, max_steps)
    states["relaxed"] = path.crystal
    evaluations = dict(zip(STATES, (whole, path.seen[0][1], path.seen[-1][1]), strict=True))
    elements = sorted({atomic_numbers[element] for element in crystal.species})
    raw: RawEnds = {
        "numbers": _numbers(crystal),
        "elements": np.array(elements),
        "lattices_a": np.stack([states[name].lattice_a for name in STATES]),
        "relaxed_frac": path.crystal.frac,
        "steps": np.array([_step(*item) for item in path.seen]),
        "moves_a": host_moves_a(host, path.crystal),
        "flags": np.array([path.converged, path.broke]),
    }
    seven_ev, chgnet_ev = [], []
    for name, state in states.items():
        seven = instruments.vectors(state)
        chgnet = instruments.chgnet(state, forces=name == "frozen")
        seven_ev.append(evaluations[name].energy_ev)
        chgnet_ev.append(chgnet.energy_ev)
        raw |= _of_state(name, _numbers(state), elements, evaluations[name], seven.vectors, chgnet)
        raw[f"seven_sites_ev.{name}"] = seven.site_energies_ev
    half = _half_charged(crystal, working_ion)
    seven_ev.append(np.nan if half is None else instruments.vectors(half).energy_ev)
    return raw | {"seven_ev": np.array(seven_ev), "chgnet_ev": np.array(chgnet_ev)}


def _relaxed(host: Crystal, potential: Potential, max_steps: int) -> _Path:
    """A host that breaks on the way is taken as it was one step before."""
    watched = Watched(potential)
    try:
        found = relax(host, watched, max_steps=max_steps)
    except (PotentialError, RelaxationError):
        if not watched.seen:
            raise
        seen = watched.seen[: max(1, len(watched.seen) - 2)]
        atoms = seen[-1][0]
        last = replace(
            host, lattice_a=np.array(atoms.cell.array), frac=atoms.get_scaled_positions(wrap=False)
        )
        return _Path(crystal=last, seen=seen, broke=True)
    return _Path(crystal=found.crystal, seen=watched.seen, converged=found.converged)


def _step(atoms: Atoms, found: Evaluation) -> tuple[float, float, float, float, float]:
    force = np.linalg.norm(found.forces_ev_per_a, axis=1)
    pressure = -float(np.trace(found.stress_ev_per_a3)) / 3.0
    return found.energy_ev, float(force.max()), float(force.mean()), pressure, float(atoms.get_volume())


def _of_state(
    name: str, numbers: NDArray[np.int64], elements: list[int], found: Evaluation, vectors: Floats,
    chgnet: ChgnetState,
) -> RawEnds:  # fmt: skip
    of_element = (numbers[None] == np.array(elements)[:, None]).astype(np.float64)
    raw: RawEnds = {
        f"forces.{name}": np.linalg.norm(found.forces_ev_per_a, axis=1),
        f"stress.{name}": found.stress_ev_per_a3,
        f"seven_sums.{name}": of_element @ vectors,
        f"chgnet_sums.{name}": of_element @ chgnet.vectors,
        f"chgnet_sites_ev.{name}": chgnet.site_energies_ev,
        f"moments.{name}": chgnet.magmoms,
    }
    if chgnet.forces_ev_per_a is not None and chgnet.stress_gpa is not None:
        raw["chgnet_forces"] = np.linalg.norm(chgnet.forces_ev_per_a, axis=1)
        raw["chgnet_stress"] = chgnet.stress_gpa
    return raw


def _numbers(crystal: Crystal) -> NDArray[np.int64]:
    return np.array([atomic_numbers[element] for element in crystal.species], dtype=np.int64)


def _half_charged(crystal: Crystal, working_ion: str) -> Crystal | None:
    """The crystal without half of its ions, each the farthest from those that left before it; None for a lone ion."""
    ions = [site for site, element in enumerate(crystal.species) if element == working_ion]
    if len(ions) < 2:
        return None
    distances_a = crystal.to_pymatgen().lattice.get_all_distances(crystal.frac[ions], crystal.frac[ions])
    gone = [0]
    while len(gone) < len(ions) // 2:
        nearest = np.round(distances_a[:, gone].min(axis=1), 3)
        nearest[gone] = -1.0
        gone.append(int(nearest.argmax()))
    return without(crystal, [ions[place] for place in gone])
