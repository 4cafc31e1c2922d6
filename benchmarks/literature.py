"""Conductivities at 1200 K against what the literature says of the same compounds, from the results that ship.

    python -m benchmarks.literature

Expected from experiment and theory: the chalcogenide spinels MgSc2Se4 (Canepa et al. 2017,
doi:10.1038/s41467-017-01772-1) and MgTi2S4 (Sun et al. 2016, doi:10.1039/C6EE00724D) conduct, the oxide spinels MgMn2O4
and MgCr2O4 are slow (Liu et al. 2015, doi:10.1039/C4EE03389B), MgO does not conduct. Then what the release
holds and which candidates pass the paper's three thresholds; last, the student beside its teacher on the same cells.
"""

import argparse
from typing import Any

from core.calculations.kinds.conductivity import ConductivityResult, barrier
from core.dynamics import PROTOCOLS
from core.errors import TooFewTemperaturesError
from core.screening import Thresholds, passes
from core.store import open_reader

EXPECTED = {
    "MgSc2Se4": "fast", "mvc-27": "fast", "mp-32006": "slow", "mp-19202": "slow", "mp-1265": "none",
}  # fmt: skip


def pooled() -> list[dict[str, Any]]:
    """The pooled results of the release, one a material, potential, protocol and temperature."""
    with open_reader() as reader:
        records = reader.calculations(kind="conductivity")
    return [dict(record.result) for record in records if record.subject_id in EXPECTED]


def show(rows: list[dict[str, Any]]) -> None:
    print(
        f"{'formula':12} {'expected':8} {'potential':17} {'protocol':13} {'seeds':>5} "
        f"{'atoms':>5} {'ps':>5} {'verdict':17} {'D (cm2/s), 90 %':34} "
        f"{'sigma (mS/cm), 90 %':24} {'teacher (eV/A)':>14}"
    )
    for row in rows:
        mae = row["teacher_force_mae_ev_per_a"]
        print(
            f"{row['formula']:12} {EXPECTED[row['id']]:8} {row['potential']:17} {row['protocol']:13} "
            f"{row['n_seeds']:5d} {row['n_atoms']:5d} {row['simulated_ps']:5.1f} {row['verdict']:17} "
            f"{interval(row, 'd_cm2_per_s', 'd_low_cm2_per_s', 'd_high_cm2_per_s', '.1e'):34} "
            f"{interval(row, 'sigma_ms_per_cm', 'sigma_low_ms_per_cm', 'sigma_high_ms_per_cm', '.0f'):24} "
            f"{'-' if mae is None else format(mae, '.3f'):>14}"
        )


def interval(row: dict[str, Any], middle: str, low: str, high: str, form: str) -> str:
    """A value with its interval, or the limit that it stays below."""
    if row[middle] is not None:
        return f"{row[middle]:{form}} ({row[low]:{form}} to {row[high]:{form}})"
    return "-" if row[high] is None else f"below {row[high]:{form}}"


def candidates() -> None:
    """What the current release holds of its own candidates."""
    with open_reader() as reader:
        found = reader.conductivities()
        rows = reader.screen()
    shown = rows["sigma_verdict"].dropna()
    print(f"\nThe release: {len(shown)} candidates with a verdict, {shown.value_counts().to_dict()}")
    error = found["teacher_force_mae_ev_per_a"].median()
    print(f"force error against the teacher on their own snapshots: {error:.2f} eV/A in the median")
    figures = ["sigma_ms_per_cm", "sigma_low_ms_per_cm", "sigma_high_ms_per_cm"]
    passing = rows[passes(rows, Thresholds())]
    limited = rows[rows["sigma_verdict"] == "upper limit"]
    limited = limited[passes(limited.assign(sigma_ms_per_cm=limited["sigma_high_ms_per_cm"]), Thresholds())]
    print("these pass all three thresholds, with the interval of 90 %:")
    print(passing[["formula", "id", *figures]].to_string(index=False))
    print("these pass voltage and capacity with an upper limit above the threshold:")
    print(limited[["formula", "id", figures[-1]]].to_string(index=False))


def series(rows: list[dict[str, Any]]) -> None:
    """The barrier of MgTi2S4 from its temperatures."""
    rows = sorted(rows, key=lambda row: float(row["temperature_k"]))
    print("\nMgTi2S4 at several temperatures")
    for row in rows:
        d = interval(row, "d_cm2_per_s", "d_low_cm2_per_s", "d_high_cm2_per_s", ".1e")
        print(f"{row['temperature_k']:6.0f} K  D {d} cm2/s")
    try:
        fit = barrier([ConductivityResult.from_dict(row) for row in rows])
    except TooFewTemperaturesError as error:
        print(error)
        return
    print(f"barrier {fit.barrier_ev:.2f} eV (90 %: {fit.barrier_low_ev:.2f} to {fit.barrier_high_ev:.2f})")


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    rows = pooled()
    order = list(EXPECTED)
    rows.sort(key=lambda row: (order.index(row["id"]), row["potential"], row["simulated_ps"]))
    print("1200 K, a fifth of the magnesium removed; six and twenty picoseconds a seed")
    whole = [row for row in rows if row["protocol"] in PROTOCOLS]
    show([row for row in whole if row["temperature_k"] == 1200.0])
    candidates()
    series([row for row in whole if row["id"] == "mvc-27" and row["protocol"] == "long"])
    print("\nStudent and teacher on the same small cells, 1200 K")
    show([row for row in rows if row["protocol"] not in PROTOCOLS])


if __name__ == "__main__":
    main()
