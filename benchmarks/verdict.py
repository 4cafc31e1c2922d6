"""Time of the verdict on as many rows as GNoME has, beside a pandas groupby of the same frame.

Rows are synthetic: elements, voltages, relaxed ends and hull energies drawn by a seed, a third of the numbers missing.
The peer groups the same rows by their elements and takes median voltage and capacity, what one writes in pandas to look
at such a frame at all. The words are timed for a page of rows, as they are only made for those shown.

    python -m benchmarks.verdict [--rows 3128 15308 380000] [--seed 0] [--repeats 7]
"""

import argparse
import os
import platform

import numpy as np
import pandas as pd

from benchmarks.screen import median_ms
from core.oxidation import REDOX_STATES
from core.provenance import package_versions
from core.thresholds import Thresholds
from core.verdict import VERDICTS, judge, with_reasons

PAGE = 100
OTHERS = ("Al", "As", "B", "Ca", "Ge", "K", "La", "P", "Sb", "Si", "Sr", "Zn")
ANIONS = ("O", "F", "S", "Se", "Cl", "N")
HOSTS = ("topotactic", "distorted", "collapsed", None)
RANGES = {
    "voltage_v": (0.5, 5.0),
    "voltage_std_v": (0.05, 0.5),
    "relaxed_voltage_v": (0.5, 5.0),
    "conversion_voltage_v": (0.0, 3.0),
    "capacity_redox_vol_ah_per_l": (0.0, 1500.0),
    "volume_change": (-0.4, 0.1),
    "largest_move_a": (0.0, 3.0),
    "e_above_hull_ev_per_atom": (0.0, 0.3),
    "charged_e_above_hull_ev_per_atom": (0.0, 0.5),
    "charged_e_above_hull_std_ev_per_atom": (0.0, 0.05),
}


def synthetic_rows(rows: int, seed: int) -> pd.DataFrame:
    """Draw candidates; a third of each column of numbers is missing."""
    draw = np.random.default_rng(seed)
    metals = tuple(REDOX_STATES)
    systems = np.array(
        [
            "-".join(sorted({"Mg", metal, other, anion}))
            for metal in metals
            for other in OTHERS
            for anion in ANIONS
        ]
    )
    columns: dict[str, object] = {"chemsys": systems[draw.integers(len(systems), size=rows)]}
    for name, (low, high) in RANGES.items():
        values = draw.uniform(low, high, rows)
        values[draw.random(rows) < 1.0 / 3.0] = np.nan
        columns[name] = values
    frame = pd.DataFrame(columns)
    frame["voltage_low_v"] = frame.voltage_v - 1.645 * frame.voltage_std_v
    frame["voltage_high_v"] = frame.voltage_v + 1.645 * frame.voltage_std_v
    frame["framework"] = np.array(HOSTS, dtype=object)[draw.integers(len(HOSTS), size=rows)]
    frame["in_domain"] = draw.random(rows) < 0.9
    return frame


def by_elements(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby("chemsys")[["voltage_v", "capacity_redox_vol_ah_per_l"]].median()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[3128, 15308, 380_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}"
    )
    print(", ".join(f"{k} {v}" for k, v in package_versions(("pandas", "numpy", "scipy")).items()))
    print(f"medians of {options.repeats} in ms; seed {options.seed}; words: reasons of {PAGE} rows")
    print(f"{'rows':>8} {'verdict':>9} {'groupby':>9} {'verdict/groupby':>16} {'words':>8}  verdicts")
    for rows in options.rows:
        frame = synthetic_rows(rows, options.seed)
        verdict = median_ms(lambda frame=frame: judge(frame, Thresholds()), options.repeats)
        peer = median_ms(lambda frame=frame: by_elements(frame), options.repeats)
        words = median_ms(lambda frame=frame: with_reasons(frame.head(PAGE), Thresholds()), options.repeats)
        counts = judge(frame, Thresholds())["verdict"].value_counts()
        found = ", ".join(f"{counts[name]:,} {name}" for name in VERDICTS)
        print(f"{rows:>8,} {verdict:>9.1f} {peer:>9.1f} {verdict / peer:>16.1f} {words:>8.1f}  {found}")


if __name__ == "__main__":
    main()
