"""First principles for pages, commands and the API: what it would cost, what there is, what VASP computed elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.calculations import Calculation
from core.calculations.kinds.dft import DftEnd, DftResult, DftSpec, assemble
from core.calculations.kinds.relaxation import RelaxationResult, RelaxationSpec
from core.dft import Level, cost, is_available, metal_crystal, metal_level
from core.dft.vasp import Electrode, prepare
from core.dft.vasp_outputs import ElectrodeOutput, Output, read_outputs
from core.errors import NoWorkingIonError
from core.potentials import DEFAULT_POTENTIAL
from core.provenance import Provenance
from core.records import Crystal, Skipped
from core.relaxation import without
from core.store import Reader
from core.tasks import Job, list_jobs
from core.tasks.elsewhere import keep_finished
from core.tasks.merge import released

HOW_TO_GET: Final = "make dft"

__all__ = [
    "HOW_TO_GET", "DftEnd", "DftEstimate", "DftResult", "Electrode", "Level", "collect", "dft_available", "dft_of",
    "electrode_of", "estimate", "planned", "prepare", "relaxed_ends",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DftEstimate:
    """CPU seconds of the whole calculation but the relaxation, and peak memory; a factor of two either way.

    `n_atoms`: of the larger primitive cell. `words`: the same for people.
    """

    seconds: float
    memory_mb: float
    n_atoms: int
    words: str


def dft_available() -> bool:
    """Return whether first principles run here; where not, `HOW_TO_GET` is the command that installs them."""
    return is_available()


def planned(
    crystal: Crystal, working_ion: str = "Mg", *, level: Level | None = None, potential: str | None = DEFAULT_POTENTIAL,
) -> DftSpec:  # fmt: skip
    """Return the spec of a crystal: both ends relaxed by a potential first, or, with None, the host as it stands."""
    return DftSpec.planned(crystal, working_ion, level=level, potential=potential)


def estimate(crystal: Crystal, working_ion: str = "Mg", level: Level | None = None) -> DftEstimate:
    """Return what a calculation would cost; raise `NoWorkingIonError` for a crystal without the ion."""
    level = level or Level()
    ends = [cost(it, level) for it in (crystal, _host(crystal, working_ion))]
    metal = cost(metal_crystal(working_ion), metal_level(level))
    seconds = sum(it.seconds for it in (*ends, metal))
    memory_mb, n_atoms = max(it.memory_mb for it in ends), max(it.n_atoms for it in ends)
    words = (
        f"{n_atoms} atoms in the primitive cell, {ends[0].n_electrons} electrons, {ends[0].n_k_points} k points: about "
        f"{max(1, round(seconds / 60))} minutes of one core and {memory_mb / 1000:.1f} GB, within a factor of two."
    )
    return DftEstimate(seconds=seconds, memory_mb=memory_mb, n_atoms=n_atoms, words=words)


def dft_of(crystal: Crystal, reader: Reader, runs: Path | None = None) -> list[Calculation]:
    """Return the finished first-principles results of a crystal, one's own first; each `result` is a `DftResult`."""
    own = [job.calculation for job in list_jobs(runs) if job.state == "finished"]
    mine = [it for it in own if it is not None and _is_of(it, crystal)]
    names = {it.name for it in mine}
    return [*mine, *(it for it in released(reader, crystal.id, DftSpec.kind) if it.name not in names)]


def relaxed_ends(id: str, reader: Reader, runs: Path | None = None) -> Calculation | None:
    """Return a finished relaxation of a candidate, one's own first, or None."""
    own = (job.calculation for job in list_jobs(runs) if job.state == "finished")
    mine = [
        it
        for it in own
        if it is not None and it.spec.kind == RelaxationSpec.kind and it.spec.subject.id == id
    ]
    found = [*mine, *released(reader, id, RelaxationSpec.kind)]
    return found[0] if found else None


def electrode_of(
    crystal: Crystal, working_ion: str, reader: Reader, runs: Path | None = None
) -> Electrode:  # fmt: skip
    """Return both ends to start a relaxation from: relaxed ones where there are some, else the frozen host."""
    kept = relaxed_ends(crystal.id, reader, runs)
    if kept is not None and isinstance(kept.result, RelaxationResult):
        return Electrode(
            crystal=crystal, working_ion=working_ion, discharged=kept.result.discharged.crystal,
            charged=kept.result.charged.crystal, geometry=f"from ends relaxed by {kept.result.potential}",
        )  # fmt: skip
    return Electrode(
        crystal=crystal, working_ion=working_ion, discharged=crystal, charged=_host(crystal, working_ion),
        geometry="from the crystal as given",
    )  # fmt: skip


def collect(folder: Path, runs: Path | None = None) -> tuple[list[Job], list[Skipped]]:
    """Keep what VASP computed in a prepared folder as finished runs; return them, and what was left out and why.

    Raises `DftError` where the folder was not prepared, or the metal is not done.
    """
    found, left_out = read_outputs(folder)
    return [_keep(it, runs) for it in found], left_out


def _keep(found: ElectrodeOutput, runs: Path | None) -> Job:
    asked = found.electrode
    level = Level(ecut_ev=found.discharged.ecut_ev, k_spacing_per_a=0.2, relax=True)
    spec = DftSpec(crystal=asked.crystal, working_ion=asked.working_ion, level=level, engine="vasp")
    metal, n_metal = found.metal, found.metal.crystal.n_sites
    u_ev = found.discharged.hubbard_u_ev
    hubbard = ", ".join(f"U({symbol}) {u:g} eV" for symbol, u in u_ev.items()) or "no U"
    result = assemble(
        _end(found.discharged, asked), _end(found.charged, asked), working_ion=asked.working_ion,
        metal_ev=metal.energy_ev / n_metal, metal_dispersion_ev=metal.dispersion_ev / n_metal,
        level=(
            f"{metal.engine}, PBE{'-D3(BJ)' if metal.with_d3 else ''}, {hubbard}, plane waves to {metal.ecut_ev:g} eV, "
            "k spacing 0.2 per angstrom, MPRelaxSet"
        ),
        engine=metal.engine, geometry=f"ions and cell relaxed at this level {asked.geometry}", is_relaxed=True,
        hubbard_u_ev=u_ev, provenance=Provenance(kind=DftSpec.kind, model_name=metal.engine),
    )  # fmt: skip
    return keep_finished(spec, result, runs)


def _end(output: Output, asked: Electrode) -> DftEnd:
    return DftEnd(
        crystal=output.crystal, n_ions=output.crystal.count(asked.working_ion), energy_ev=output.energy_ev,
        dispersion_ev=output.dispersion_ev, k_grid=output.k_grid,
        note=f"{output.n_ionic_steps} ionic steps.",
    )  # fmt: skip


def _host(crystal: Crystal, working_ion: str) -> Crystal:
    sites: Sequence[int] = [site for site, symbol in enumerate(crystal.species) if symbol == working_ion]
    if not sites:
        raise NoWorkingIonError(crystal.formula, working_ion)
    return without(crystal, sites)


def _is_of(calculation: Calculation, crystal: Crystal) -> bool:
    spec = calculation.spec
    return (
        isinstance(spec, DftSpec) and spec.crystal.id == crystal.id and spec.crystal.same_structure(crystal)
    )
