"""Is the potential's lowest ordering of ions and gaps the right one? Against intermediate phases that the data hold.

    python -m benchmarks.orderings --data ../shared/data

A case is a full host and a phase of it with fewer of its ions, both relaxed by density-functional theory: the charged
side of an electrode that still holds ions. In the host's cell (a supercell where the phase needs one) all orderings of
the phase's content are enumerated; the right one is the ordering nearest to the phase by pymatgen's `StructureMatcher`.
Kept are hosts with an anion, at most `--max-sites` atoms and two or more orderings, in which the phase is found again.

The data hold one ordering for most contents, not always the best that theory could find: where the potential prefers
another, either may be wrong. Results of each case are kept in `--cache`, so that a stopped run goes on.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from scipy.stats import binomtest

from core.errors import ExplorerError
from core.ions import charge_number
from core.ordering import OrderingCell, ewald_energies_ev, orderings, screened
from core.potentials import DEFAULT_POTENTIAL, Potential, load_potential
from core.records import Crystal
from core.relaxation import metal_energy_ev, relax, without
from core.sources.reference import read_electrode_structures, read_electrodes

ANIONS = {"O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N"}
SEED = 0


def cases(data: Path, max_sites: int) -> list[dict[str, Any]]:
    """Pairs of a full host and a phase with fewer ions, small enough; multivalent ions first, then a fixed shuffle."""
    crystals = read_electrode_structures(data)
    found = {}
    for it in read_electrodes(data):
        if it.id_discharge not in crystals or it.id_charge not in crystals:
            continue
        host, phase, ion = crystals[it.id_discharge], crystals[it.id_charge], it.working_ion
        if (
            not phase.count(ion)
            or not ANIONS & set(host.species)
            or max(host.n_sites, phase.n_sites) > max_sites
        ):
            continue
        found[it.battery_id] = {
            "id": it.battery_id, "ion": ion, "host": host, "phase": phase, "label_v": it.average_voltage_v,
        }  # fmt: skip
    ordered = sorted(found.values(), key=lambda it: it["id"])
    random.Random(SEED).shuffle(ordered)
    return sorted(ordered, key=lambda it: charge_number(it["ion"]) == 1)


def common_cell(host: Crystal, phase: Crystal, ion: str, max_sites: int) -> tuple[OrderingCell, int] | str:
    """The host in a cell that can hold the phase, and its number of ions there; or why there is none."""
    bare_host, bare_phase = (_bare(it, ion) for it in (host, phase))
    ratio = len(bare_phase) / len(bare_host)
    counts = [Counter(map(str, it.species)) for it in (bare_host, bare_phase)]
    if any(abs(counts[0][el] * ratio - counts[1][el]) > 1e-6 for el in counts[0] | counts[1]):
        return "the frameworks differ in composition"
    structure = host.to_pymatgen()
    if ratio > 1:
        if ratio % 1:
            return "no supercell of the host has the phase's atoms"
        if host.n_sites * ratio > max_sites:
            return "the common cell is too large"
        matcher = StructureMatcher(primitive_cell=False, attempt_supercell=True)
        matrix = matcher.get_supercell_matrix(bare_phase, bare_host)
        if matrix is None:
            return "the frameworks do not match"
        structure = structure * np.array(matrix)
    elif not StructureMatcher().fit(bare_host, bare_phase):
        return "the frameworks do not match"
    species = tuple(str(site.specie) for site in structure)
    crystal = replace(
        host, lattice_a=np.array(structure.lattice.matrix), species=species, frac=structure.frac_coords
    )
    ions = tuple(place for place, element in enumerate(species) if element == ion)
    n_ions = phase.count(ion) * (crystal.n_sites - len(ions)) / len(bare_phase)
    if n_ions % 1:
        return "the phase's content cannot be made in the host's cell"
    return OrderingCell(crystal=crystal, copies=(1, 1, 1), ion_sites=ions), round(n_ions)


def _bare(crystal: Crystal, ion: str) -> Structure:
    structure = crystal.to_pymatgen()
    structure.remove_species([ion])
    return structure


def measured(case: dict[str, Any], potential: Potential, *, max_sites: int, n_relaxed: int) -> dict[str, Any]:
    """What the potential and electrostatics make of one case; `left_out` where it says nothing."""
    host, phase, ion = case["host"], case["phase"], case["ion"]
    row = {
        "id": case["id"],
        "ion": ion,
        "formula": host.formula,
        "phase": phase.formula,
        "label_v": case["label_v"],
    }
    made = common_cell(host, phase, ion, max_sites)
    if isinstance(made, str):
        return row | {"left_out": made}
    cell, n_ions = made
    if not 0 < n_ions < len(cell.ion_sites):
        return row | {"left_out": "no content between the ends"}
    every = orderings(cell.crystal, cell.ion_sites, n_ions)
    if not every.complete or not 1 < len(every.found) <= 60:
        return row | {"left_out": f"{'one ordering' if len(every.found) == 1 else 'too many orderings'}"}
    started = time.monotonic()
    states = [without(cell.crystal, it.gaps(cell.ion_sites)) for it in every.found]
    distances = [_distance(state, phase) for state in states]
    if min(distances) == np.inf:
        return row | {"left_out": "the phase is none of the orderings on the host's sites"}
    right = int(np.argmin(distances))
    coulomb_ev = ewald_energies_ev(cell.crystal, ion, cell.ion_sites, every.found)
    frozen = screened(cell, ion, n_ions, potential, most=60)
    tried = list(dict.fromkeys([*frozen.numbers[:n_relaxed], right]))
    relaxed = {number: relax(states[number], potential, max_steps=200) for number in tried}
    energies_ev = {number: it.energy_ev for number, it in relaxed.items()}
    full = relax(cell.crystal, potential, max_steps=200)
    best = min(list(frozen.numbers[:n_relaxed]), key=energies_ev.__getitem__)
    n_leave = len(cell.ion_sites) - n_ions
    gained_ev = n_leave * _metal_ev(potential, ion) - full.energy_ev
    step_v, step_right_v = (
        (energies_ev[number] + gained_ev) / (n_leave * charge_number(ion)) for number in (best, right)
    )
    return row | {
        "n_sites": cell.crystal.n_sites, "n_ion_sites": len(cell.ion_sites), "n_ions": n_ions,
        "n_orderings": len(every.found), "chance": every.found[right].multiplicity / every.n_permutations,
        "ewald": bool(int(np.argmin(coulomb_ev)) == right), "frozen": frozen.numbers[0] == right,
        "frozen_rank": frozen.numbers.index(right), "relaxed": best == right,
        "same_phase": bool(StructureMatcher().fit(relaxed[best].crystal.to_pymatgen(), phase.to_pymatgen())),
        "above_mev_per_atom": 1000 * (energies_ev[right] - energies_ev[best]) / states[right].n_sites,
        "step_v": step_v, "step_right_v": step_right_v, "seconds": time.monotonic() - started,
        "converged": all(it.converged for it in (*relaxed.values(), full)),
    }  # fmt: skip


def _distance(state: Crystal, phase: Crystal) -> float:
    found = StructureMatcher().get_rms_dist(state.to_pymatgen(), phase.to_pymatgen())
    return float("inf") if found is None else float(found[0])


@lru_cache
def _metal_ev(potential: Potential, ion: str) -> float:
    return metal_energy_ev(potential, ion)


def rows(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The result of each case, from the cache where it is there, until `--cases` of them say something."""
    kept = {}
    if arguments.cache.is_file():
        kept = {row["id"]: row for row in map(json.loads, arguments.cache.read_text().splitlines())}
    potential = load_potential(arguments.potential, dtype="float32")
    n_told = 0
    for case in cases(arguments.data, arguments.max_sites):
        if n_told == arguments.cases:
            return
        row = kept.get(case["id"])
        if row is None:
            try:
                row = measured(case, potential, max_sites=arguments.max_sites, n_relaxed=arguments.relaxed)
            except ExplorerError as error:
                row = {
                    "id": case["id"],
                    "ion": case["ion"],
                    "left_out": f"{type(error).__name__}: {error}"[:100],
                }
            with arguments.cache.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
        n_told += "left_out" not in row
        yield row


def share(name: str, hits: list[bool]) -> None:
    """Print a share with its Wilson interval of 95 %."""
    interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    counted = f"{sum(hits):3d} of {len(hits):3d}"
    print(f"  {name:44} {counted}  {np.mean(hits):.2f} ({interval.low:.2f} to {interval.high:.2f})")


def show(told: list[dict[str, Any]], title: str) -> None:
    """Print what one group of cases says."""
    n_orderings, chance = (
        np.median([it["n_orderings"] for it in told]),
        np.mean([it["chance"] for it in told]),
    )
    print(f"\n{title}: n = {len(told)}, {n_orderings:.0f} orderings in the median")
    print(f"  {'one at random, expected':56} {chance:.2f}")
    share("lowest by electrostatics (Ewald)", [it["ewald"] for it in told])
    share("lowest on the unrelaxed host", [it["frozen"] for it in told])
    share("among the three lowest there", [it["frozen_rank"] < 3 for it in told])
    share("lowest of these after relaxation", [it["relaxed"] for it in told])
    share("matched by StructureMatcher after relaxation", [it["same_phase"] for it in told])
    share("right one within 5 meV/atom of the lowest", [it["above_mev_per_atom"] < 5 for it in told])
    errors = np.array([it["step_v"] - it["label_v"] for it in told])
    with_right = np.array([it["step_right_v"] - it["label_v"] for it in told])
    print(
        f"  step to the full host against its label: MAE {np.abs(errors).mean():.2f} V, "
        f"median {np.median(np.abs(errors)):.2f}, mean {errors.mean():+.2f}; "
        f"with the right ordering MAE {np.abs(with_right).mean():.2f} V"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the reference data")
    parser.add_argument("--cache", type=Path, default=Path("orderings.jsonl"), help="file of results")
    parser.add_argument("--cases", type=int, default=60, help="cases that say something (default 60)")
    parser.add_argument("--max-sites", type=int, default=20, help="atoms of the common cell (default 20)")
    parser.add_argument("--relaxed", type=int, default=3, help="orderings relaxed a case (default 3)")
    parser.add_argument("--potential", default=DEFAULT_POTENTIAL)
    arguments = parser.parse_args()
    found = list(rows(arguments))
    told = [row for row in found if "left_out" not in row]
    reasons = Counter(row["left_out"] for row in found if "left_out" in row)
    print(f"{len(found)} pairs looked at; left out: {dict(reasons)}")
    still = sum(row["converged"] for row in told)
    print(f"relaxed in full: {still} of {len(told)}; {sum(row['seconds'] for row in told):.0f} s")
    show(told, "all")
    for name, chosen in (
        ("Mg, Ca, Zn, Al, Y", [row for row in told if charge_number(row["ion"]) > 1]),
        ("Li, Na, K, Rb, Cs", [row for row in told if charge_number(row["ion"]) == 1]),
        ("four orderings or more", [row for row in told if row["n_orderings"] > 3]),
    ):
        if chosen:
            show(chosen, name)


if __name__ == "__main__":
    main()
