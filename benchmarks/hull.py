"""How well the shipped hull and the fitted formation energies agree with the Materials Project's stored values.

    python -m benchmarks.hull [--data FOLDER] [--repeats 20]

1. Energy above hull from the stated formation energy of a structure and our hull, against the stored value: the Mg ends
   of the labelled electrodes, and candidates that state both. A composition that the table lacks is told apart. This
   needs the reference data.
2. Formation energies from the potential: cross-validated errors with 90 % intervals, as `hull fit` left them on the
   card.
3. Time of one decomposition and of one conversion, with and without a phase diagram that is kept.
"""

import argparse
import statistics
import time
from collections import Counter
from pathlib import Path

import numpy as np
from pymatgen.core import Composition

from core.artifacts import read_card
from core.errors import SourceError
from core.settings import Settings
from core.sources.reference import CANDIDATES, _rows, read_candidates
from core.stability import Hull, conversion, hull_folder, shipped_hull
from core.stability.labels import read_labelled, shift_of
from core.stability.phases import TABLE, read_table

HOSTS = ({"Mg": 1, "Cr": 2, "O": 4}, {"Mg": 1, "Ti": 2, "S": 4}, {"Mg": 1, "Fe": 1, "Si": 1, "O": 4},
         {"Ca": 1, "Mg": 1, "As": 1, "O": 4, "F": 1}, {"Mg": 1, "Fe": 1, "Mn": 1, "Si": 1, "O": 4, "F": 1})  # fmt: skip
NEAR_EV_PER_ATOM = 0.025


def agreement(name: str, rows: list[tuple[Counter[str], float, float]], hull: Hull, known: set[str]) -> None:
    """Rows: composition, formation energy on the table's scale, stored energy above hull."""
    apart, listed = [], []
    for composition, formation, stored in rows:
        apart.append(max(0.0, hull.e_above_hull(composition, formation)) - stored)
        listed.append(Composition(composition).reduced_formula in known)
    size, listed_mask = np.abs(apart), np.array(listed)
    for what, mask in (("all", np.ones(len(size), dtype=bool)), ("composition in the table", listed_mask),
                       ("composition not in the table", ~listed_mask)):  # fmt: skip
        if mask.any():
            within, middle, mean = (
                np.mean(size[mask] <= NEAR_EV_PER_ATOM),
                np.median(size[mask]),
                size[mask].mean(),
            )
            print(f"{name:20} {what:29} n {mask.sum():4d}  within 25 meV/atom {within:6.1%}  "
                  f"median {1e3 * middle:5.1f}  mean {1e3 * mean:5.1f} meV/atom")  # fmt: skip


def stored_values(data: Path, hull: Hull) -> None:
    known = {Composition(row.formula).reduced_formula for row in read_table(data / TABLE)}
    shifts = read_card(hull_folder(), "formation")["shifts_ev"]
    labelled = read_labelled(data)
    for end in ("Mg charged", "Mg discharged"):
        rows = [
            (
                it.composition, it.formation_energy_ev_per_atom - shift_of(it.composition, shifts),
                it.e_above_hull_ev_per_atom,
            )
            for it in labelled if end in it.ends and it.e_above_hull_ev_per_atom is not None
        ]  # fmt: skip
        agreement(f"{end} ends", rows, hull, known)
    energies = {row["id"]: row["formation_energy_per_atom"] for row in _rows(data / CANDIDATES)}
    crystals, _ = read_candidates(data)
    rows = [
        (counts := Counter(it.species), float(energies[it.id]) - shift_of(counts, shifts), it.e_above_hull_ev_per_atom)
        for it in crystals if energies[it.id] and it.e_above_hull_ev_per_atom is not None
    ]  # fmt: skip
    agreement("candidates", rows, hull, known)


def formation_errors() -> None:
    card = read_card(hull_folder(), "formation")
    print(
        f"\nFormation energies from {card['potential']} ({card['structures']}), {card['cross_validation']}:"
    )
    for name, it in card["cross_validated"].items():
        mev = {key.removesuffix("_ev_per_atom"): 1e3 * value for key, value in it.items()}
        print(f"{name:20} n {it['n']:4d}  MAE {mev['mae']:5.1f} ({mev['mae_low']:.1f} to {mev['mae_high']:.1f})  RMSE "
              f"{mev['rmse']:5.1f}  median {mev['median']:4.1f}  90 % below {mev['q90']:5.1f}  99 % below "
              f"{mev['q99']:5.1f}  bias {mev['bias']:+.1f}  within the stated 90 %: {it['within_90']:.0%}")  # fmt: skip


def times(hull: Hull, repeats: int) -> None:
    print("\nmilliseconds: first question of a chemical system, a further one, conversion")
    for host in HOSTS:
        first, further, convert = [], [], []
        for _ in range(repeats):
            fresh = Hull(hull.phases)
            for kept, work in (
                (first, lambda fresh=fresh, host=host: fresh.decompose(host)),
                (further, lambda fresh=fresh, host=host: fresh.decompose(host)),
                (convert, lambda fresh=fresh, host=host: conversion(fresh, host, "Mg", 2)),
            ):
                start = time.perf_counter()
                work()
                kept.append(1e3 * (time.perf_counter() - start))
        medians = "  ".join(f"{statistics.median(it):6.2f}" for it in (first, further, convert))
        print(f"{Composition(host).reduced_formula:18} {medians}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    hull = shipped_hull()
    print(f"{len(hull.phases):,} stable phases of {len(hull.phases.elements)} elements")
    try:
        stored_values(options.data, hull)
    except SourceError as error:
        print(f"The agreement with stored values is left out: {error}")
    formation_errors()
    times(hull, options.repeats)


if __name__ == "__main__":
    main()
