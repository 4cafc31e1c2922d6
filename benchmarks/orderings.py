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
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from scipy.stats import binomtest

from core.errors import ExplorerError, RelaxationError
from core.ions import charge_number
from core.ordering import OrderingCell, ewald_energies_ev, orderings, screened
from core.potentials import DEFAULT_POTENTIAL, Potential, load_potential
from core.records import Crystal
from core.relaxation import host_change, metal_energy_ev, relax, without
from core.sources.reference import read_electrode_structures, read_electrodes

ANIONS = {"O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N"}
SEED = 0
MOST = 60
"""Orderings of a case, at most."""

FORCE_EV_PER_A, MAX_STEPS = 0.1, 150
"""Rougher than a run: differences between orderings are larger than what is left."""


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


def ranked(case: dict[str, Any], potential: Potential, max_sites: int) -> dict[str, Any]:
    """Where electrostatics and the potential on the unrelaxed host put the right ordering; or why nothing is said."""
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
    if not every.complete or not 1 < len(every.found) <= MOST:
        return row | {"left_out": "one ordering" if len(every.found) == 1 else "too many orderings"}
    distances = [_distance(without(cell.crystal, it.gaps(cell.ion_sites)), phase) for it in every.found]
    if min(distances) == np.inf:
        return row | {"left_out": "the phase is none of the orderings on the host's sites"}
    right = int(np.argmin(distances))
    coulomb_ev = ewald_energies_ev(cell.crystal, ion, cell.ion_sites, every.found)
    frozen = screened(cell, ion, n_ions, potential, most=MOST)
    return row | {
        "n_sites": cell.crystal.n_sites, "n_ion_sites": len(cell.ion_sites), "n_ions": n_ions, "right": right,
        "n_orderings": len(every.found), "chance": every.found[right].multiplicity / every.n_permutations,
        "ewald": int(np.argmin(coulomb_ev)) == right, "frozen_rank": frozen.numbers.index(right),
        "ranked": frozen.numbers,
    }  # fmt: skip


def relaxed(
    case: dict[str, Any], row: dict[str, Any], potential: Potential, n_relaxed: int
) -> dict[str, Any]:
    """The lowest few orderings and the right one, at rest, with the step from there to the full host."""
    started = time.monotonic()
    ion = case["ion"]
    made = common_cell(case["host"], case["phase"], ion, 10**6)
    if isinstance(made, str):
        raise SystemExit(made)
    cell, n_ions = made
    every = orderings(cell.crystal, cell.ion_sites, n_ions).found
    full = relax(cell.crystal, potential, force_ev_per_a=FORCE_EV_PER_A, max_steps=MAX_STEPS)
    states = []
    for number in dict.fromkeys([*row["ranked"][:n_relaxed], row["right"]]):
        start = without(cell.crystal, every[number].gaps(cell.ion_sites))
        try:
            found = relax(start, potential, force_ev_per_a=FORCE_EV_PER_A, max_steps=MAX_STEPS)
        except RelaxationError as error:
            states.append({"ordering": number, "left_out": str(error)})
            continue
        states.append(
            {
                "ordering": number, "is_tried": number in row["ranked"][:n_relaxed], "energy_ev": found.energy_ev,
                "framework": host_change(full.crystal, found.crystal, ion).framework, "converged": found.converged,
                "is_phase": bool(StructureMatcher().fit(found.crystal.to_pymatgen(), case["phase"].to_pymatgen())),
            }
        )  # fmt: skip
    return {
        "full_ev": full.energy_ev, "metal_ev": _metal_ev(potential, ion), "states": states,
        "seconds": time.monotonic() - started,
    }  # fmt: skip


def _distance(state: Crystal, phase: Crystal) -> float:
    found = StructureMatcher().get_rms_dist(state.to_pymatgen(), phase.to_pymatgen())
    return float("inf") if found is None else float(found[0])


@lru_cache
def _metal_ev(potential: Potential, ion: str) -> float:
    return metal_energy_ev(potential, ion)


class Cache:
    """Rows by case and part, one a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.is_file() else []
        self.rows = {(it["id"], it["part"]): it for it in map(json.loads, lines)}

    def get(self, id: str, part: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A row from the file, or made now and kept."""
        if (id, part) not in self.rows:
            try:
                row = make()
            except ExplorerError as error:
                row = {"left_out": f"{type(error).__name__}: {error}"[:100]}
            self.rows[id, part] = row | {"id": id, "part": part}
            with self.path.open("a") as stream:
                stream.write(json.dumps(self.rows[id, part]) + "\n")
        return self.rows[id, part]


def summary(row: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any] | None:
    """What the relaxed orderings of a case say; None where the right one came to no rest."""
    states = [it for it in rest["states"] if "left_out" not in it and it["converged"]]
    right = next((it for it in states if it["ordering"] == row["right"]), None)
    if right is None:
        return None
    tried = [it for it in states if it["is_tried"]] or [right]
    kept = [it for it in tried if it["framework"] != "collapsed"] or tried
    any_host, best = (min(group, key=lambda it: it["energy_ev"]) for group in (tried, kept))
    n_leave = row["n_ion_sites"] - row["n_ions"]
    charge = n_leave * charge_number(row["ion"])
    return row | {
        "relaxed_any": any_host["ordering"] == row["right"], "relaxed": best["ordering"] == row["right"],
        "is_phase": best["is_phase"], "right_kept": right["framework"] != "collapsed",
        "above_mev_per_atom": 1000 * (right["energy_ev"] - best["energy_ev"]) / (row["n_sites"] - n_leave),
        "step_v": (best["energy_ev"] + n_leave * rest["metal_ev"] - rest["full_ev"]) / charge,
        "step_right_v": (right["energy_ev"] + n_leave * rest["metal_ev"] - rest["full_ev"]) / charge,
    }  # fmt: skip


def share(name: str, hits: list[bool]) -> None:
    """Print a share with its Wilson interval of 95 %."""
    interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    counted = f"{sum(hits):3d} of {len(hits):3d}"
    print(f"  {name:44} {counted}  {np.mean(hits):.2f} ({interval.low:.2f} to {interval.high:.2f})")


def show_ranked(told: list[dict[str, Any]], title: str) -> None:
    """Print what one group of cases says before anything is relaxed."""
    if not told:
        return
    n_orderings, chance = (
        np.median([it["n_orderings"] for it in told]),
        np.mean([it["chance"] for it in told]),
    )
    print(f"\n{title}: n = {len(told)}, {n_orderings:.0f} orderings in the median")
    print(f"  {'one at random, expected':58} {chance:.2f}")
    share("lowest by electrostatics (Ewald)", [it["ewald"] for it in told])
    share("lowest by the potential, unrelaxed host", [it["frozen_rank"] == 0 for it in told])
    three = np.mean([min(1.0, 3 / it["n_orderings"]) for it in told])
    print(f"  {'three at random, expected':58} {three:.2f}")
    share("among the three lowest there", [it["frozen_rank"] < 3 for it in told])


def show_relaxed(told: list[dict[str, Any]], title: str) -> None:
    """Print what relaxation changes."""
    if not told:
        return
    show_ranked(told, f"{title}, relaxed too")
    share("lowest of three after relaxation", [it["relaxed_any"] for it in told])
    share("the same, collapsed hosts left out", [it["relaxed"] for it in told])
    share("right one within 5 meV/atom of that", [it["above_mev_per_atom"] < 5 for it in told])
    for words, name in (("lowest ordering", "step_v"), ("right ordering", "step_right_v")):
        errors = np.array([it[name] - it["label_v"] for it in told])
        mae, median = np.abs(errors).mean(), np.median(np.abs(errors))
        print(
            f"  step to the full host, {words}: MAE {mae:.2f} V, median {median:.2f}, mean {errors.mean():+.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the reference data")
    parser.add_argument("--cache", type=Path, default=Path("orderings.jsonl"), help="file of results")
    parser.add_argument("--max-sites", type=int, default=24, help="atoms of the common cell (default 24)")
    parser.add_argument(
        "--relax", type=int, default=24, help="cases whose orderings are relaxed (default 24)"
    )
    parser.add_argument("--relaxed", type=int, default=3, help="orderings relaxed a case (default 3)")
    parser.add_argument("--potential", default=DEFAULT_POTENTIAL)
    arguments = parser.parse_args()
    potential = load_potential(arguments.potential, dtype="float32")
    cache = Cache(arguments.cache)
    every = {it["id"]: it for it in cases(arguments.data, arguments.max_sites)}
    rows = [
        cache.get(id, "ranked", lambda it=it: ranked(it, potential, arguments.max_sites))
        for id, it in every.items()
    ]
    told = [row for row in rows if "left_out" not in row]
    reasons = Counter(row["left_out"] for row in rows if "left_out" in row)
    print(f"{len(rows)} pairs looked at; left out: {dict(reasons)}", flush=True)
    for title, chosen in groups(told):
        show_ranked(chosen, title)
    print(flush=True)
    # Cheapest first, both kinds of ion in turn.
    sides = [sorted(side, key=lambda it: it["n_sites"]) for _, side in groups(told)[1:3]]
    chosen = [row for pair in zip_longest(*sides) for row in pair if row]
    at_rest, seconds = [], 0.0
    for row in chosen[: arguments.relax]:
        rest = cache.get(
            row["id"], "relaxed", lambda row=row: relaxed(every[row["id"]], row, potential, arguments.relaxed)
        )
        seconds += rest.get("seconds", 0.0)
        if "left_out" not in rest and (found := summary(row, rest)) is not None:
            at_rest.append(found)
    print(f"{len(at_rest)} of {min(len(chosen), arguments.relax)} cases came to rest, {seconds:.0f} s")
    for title, group in groups(at_rest):
        show_relaxed(group, title)


def groups(told: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """All cases, those of each kind of ion, and those with much to choose from."""
    return [
        ("all", told),
        ("Mg, Ca, Zn, Al, Y", [it for it in told if charge_number(it["ion"]) > 1]),
        ("Li, Na, K, Rb, Cs", [it for it in told if charge_number(it["ion"]) == 1]),
        ("four orderings or more", [it for it in told if it["n_orderings"] > 3]),
    ]


if __name__ == "__main__":
    main()
