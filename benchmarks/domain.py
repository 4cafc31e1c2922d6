"""Which crystals a voltage model refuses as given, and how many real ones that costs.

    python -m benchmarks.domain --data ../shared/data [--n 500]

First the extremes among the labelled electrodes: packing of all of them, forces and pressure by the potential of the
voltage models of `--n` at random; what `core.voltage.as_given` allows stands beside. Then how many are refused, of the
labelled electrodes and of the release's candidates, and of the latter how many the release calls in domain. At last how
often the 90 % intervals of the shipped out-of-fold table hold, with an anion and without.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.oxidation import has_anion
from core.potentials import Potential, load_potential
from core.records import Crystal
from core.service.release import current_reader
from core.settings import ROOT, Settings
from core.voltage import load_voltage_model
from core.voltage.as_given import (
    CLOSEST,
    CLOSEST_METALS,
    FARTHEST,
    MAX_FORCE_EV_PER_A,
    OPENNESS,
    PRESSURE_GPA,
    Packing,
    Strain,
)
from core.voltage.calibrate import HALF_WIDTH_IN_STD
from core.voltage.dataset import LabelledData, load_labelled
from core.voltage.kinds.frozen_host.features import reduced

Floats = NDArray[np.float64]
MAX_SITES = 120


def strain_of(crystal: Crystal, potential: Potential) -> Strain:
    """Return forces and pressure of a crystal as the voltage model sees them."""
    found = potential.evaluate(reduced(crystal).to_ase())
    return Strain.of(np.linalg.norm(found.forces_ev_per_a, axis=1), found.stress_ev_per_a3)


def sample(crystals: Sequence[Crystal], n: int, *, seed: int = 0) -> list[Crystal]:
    """Return n crystals at random of those of at most `MAX_SITES` sites; all where there are fewer."""
    small = [it for it in crystals if it.n_sites <= MAX_SITES]
    order = np.random.default_rng([seed, 12]).permutation(len(small))
    return [small[place] for place in order[:n]]


def extremes(name: str, values: Floats, allowed: str) -> None:
    """Print the quantiles of one figure."""
    shares = (0.0, 0.002, 0.005, 0.01, 0.5, 0.99, 0.995, 0.998, 1.0)
    shown = "  ".join(f"{it:7.2f}" for it in np.quantile(values, shares))
    print(f"{name:26s} {shown}  ({len(values):,}; allowed {allowed})")


def print_extremes(packings: Sequence[Packing], strains: Sequence[Strain]) -> None:
    """Print how labelled electrodes lie, and how far from rest they are."""
    heads = ("least", "0.2 %", "0.5 %", "1 %", "median", "99 %", "99.5 %", "99.8 %", "most")
    print(f"{'labelled, with an anion':26s} " + "  ".join(f"{it:>7s}" for it in heads))
    extremes("closest pair", np.array([it.closest for it in packings]), f">= {CLOSEST}")
    metals = np.array([it.closest_metals for it in packings])
    extremes("closest metals", metals[np.isfinite(metals)], f">= {CLOSEST_METALS}")
    extremes("nearest neighbour", np.array([it.farthest for it in packings]), f"<= {FARTHEST}")
    extremes("openness", np.array([it.openness for it in packings]), f"{OPENNESS[0]} to {OPENNESS[1]}")
    extremes(
        "largest force, eV/angstrom",
        np.array([it.force_ev_per_a for it in strains]),
        f"<= {MAX_FORCE_EV_PER_A}",
    )
    extremes(
        "pressure, GPa",
        np.array([it.pressure_gpa for it in strains]),
        f"{PRESSURE_GPA[0]} to {PRESSURE_GPA[1]}",
    )


def print_refused(name: str, packings: Sequence[Packing], strains: Sequence[Strain]) -> None:
    """Print which share is refused for its packing, and of the sample for its forces or pressure."""
    packed = np.mean([bool(it.reasons()) for it in packings])
    strained = np.mean([bool(it.reasons()) for it in strains])
    print(f"{name}: {packed:.2%} of {len(packings):,} for their packing, "
          f"{strained:.2%} of {len(strains):,} for forces or pressure")  # fmt: skip


def print_release(crystals: Sequence[Crystal], strains: dict[str, Strain]) -> None:
    """Print how many rows of the release would be out of domain that it calls in domain."""
    frame = current_reader().screen()
    inside = set(frame.loc[frame["in_domain"].astype(bool), "id"])
    for title, is_met in (("with an anion", True), ("alloys", False)):
        part = [it for it in crystals if it.id in inside and has_anion(it.species) == is_met]
        packed = [it for it in part if Packing.of(it).reasons()]
        tried = [it for it in part if it.id in strains]
        strained = sum(bool(strains[it.id].reasons()) for it in tried)
        print(f"release, in domain, {title}: {len(packed)} of {len(part):,} refused for their packing, {strained} of "
              f"{len(tried)} tried for forces or pressure")  # fmt: skip


def print_intervals(data: LabelledData, table: Path) -> None:
    """Print how often 90 % intervals hold with and without an anion, of rows that were called in domain."""
    rows = pd.read_csv(table)
    anions = {
        electrode.battery_id: has_anion(crystal.species)
        for electrode, crystal in zip(data.electrodes, data.crystals, strict=True)
    }
    rows = rows[rows["in_domain"]].assign(with_anion=rows["battery_id"].map(anions))
    rows["error_v"] = (rows["predicted_v"] - rows["voltage_v"]).abs()
    rows["holds"] = rows["error_v"] <= HALF_WIDTH_IN_STD * rows["std_v"]
    for (partition, anion), part in rows.groupby(["partition", "with_anion"]):
        print(
            f"{partition}, {'with' if anion else 'without'} an anion: 90 % intervals hold in "
            f"{part['holds'].mean():.1%} of {len(part):,}, mean error {part['error_v'].mean():.2f} V"
        )


def main() -> None:
    """Print extremes, shares and intervals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Settings.from_environment().data)
    parser.add_argument(
        "--n", type=int, default=500, help="structures whose forces are computed, of each of both"
    )
    asked = parser.parse_args()
    data, reader = load_labelled(asked.data), current_reader()
    unique = {it.id: it for it in data.crystals}.values()
    labelled = [it for it in unique if has_anion(it.species)]
    print(f"{len(unique) - len(labelled)} of {len(unique):,} labelled structures have no anion")
    candidates = [reader.crystal(it) for it in reader.screen(columns=("id",))["id"]]
    potential = load_potential("nequip-mp", device="cpu", dtype="float32")
    of_labelled = [strain_of(it, potential) for it in sample(labelled, asked.n)]
    of_candidates = {it.id: strain_of(it, potential) for it in sample(candidates, asked.n)}
    packings = [Packing.of(it) for it in labelled]
    print_extremes(packings, of_labelled)
    print_refused("labelled, with an anion", packings, of_labelled)
    print_refused("candidates", [Packing.of(it) for it in candidates], list(of_candidates.values()))
    print_release(candidates, of_candidates)
    print_intervals(data, ROOT / "precomputed" / "accuracy" / f"{load_voltage_model().name}.csv")


if __name__ == "__main__":
    main()
