"""Barriers by interatomic potentials beside those of density-functional theory on known hops of the literature.

    python -m benchmarks.barriers --data ../shared/data [--potentials nequip-mp nequix-oam] [--movers Mg] [--top N]

The hops are of Devi, Balasubramanian, Butler and Sai Gautam (arXiv 2508.06459). Rows are kept in MGC_CHECKPOINTS, so
that a stopped benchmark goes on; --known-only prints what is there. MACE-MP-0 with a nudged elastic band, as published,
stands beside each potential on the same hops. Errors are of hops below 1.5 eV by DFT; intervals are 95 % of hosts drawn
anew. Then comes the spread that the hops of magnesium ask for, tried on hosts that it was not fitted on (ten folds).
"""

import argparse
import os
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from core.cli.output import add_data_option, progress, reference_data
from core.hops.choice import load_with_guide
from core.hops.paths import barrier_rows, line_key, read_kept, read_lines
from core.hops.spread import fit_spread
from core.provenance import package_versions
from core.settings import Settings

FILE = "migration_paths.jsonl.gz"
LIMITS_EV = (0.65, 0.5)
HIGH_EV = 1.5
N_DRAWS = 200
N_FOLDS = 10


def table(lines: list[Any], name: str, *, known_only: bool) -> pd.DataFrame:
    """Return what is known of each hop: its barrier by DFT, by MACE-MP-0, by this potential, and that one's spread."""
    potential, guide = load_with_guide(name)
    kept = Settings.from_environment().checkpoints / "barriers" / f"{name}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    if known_only:
        done = read_kept(kept)
        lines = [line for line in lines if line_key(line, potential, guide) in done]
    rows = list(
        progress(barrier_rows(lines, potential, kept, guide), total=len(lines), desc=name, unit=" hops")
    )
    return pd.DataFrame(
        {
            "id": [line["id"] for line in lines],
            "mover": [line["mover"] for line in lines],
            "group": [line["crystal_class"] for line in lines],
            "host": [host(line) for line in lines],
            "atoms": [line["n_atoms"] for line in lines],
            "dft": [line["barrier_ev"] for line in lines],
            "mace": [line["mace_mp0_ev"] for line in lines],
            "here": [row["barrier_ev"] for row in rows],
            "verdict": [row["verdict"] for row in rows],
        }
    ).astype({"dft": float, "mace": float, "here": float})


def host(line: Any) -> str:
    """Elements of the host, which keep hops of one material together."""
    return "-".join(sorted(set(line["species"]) - {line["mover"]}))


def measures(frame: pd.DataFrame, column: str) -> dict[str, Callable[[pd.DataFrame], float]]:
    """Return what is measured of a column; a hop without a barrier counts as wrong on a limit, and has no error."""

    def error(rows: pd.DataFrame) -> pd.Series:
        low = rows[rows.dft < HIGH_EV]
        return (low[column] - low.dft).abs().dropna()

    answer: dict[str, Callable[[pd.DataFrame], float]] = {
        "median_ev": lambda rows: float(error(rows).median()),
        "mean_ev": lambda rows: float(error(rows).mean()),
        "spearman": lambda rows: float(spearmanr(rows.dft, rows[column], nan_policy="omit").statistic),
    }
    for limit in LIMITS_EV:
        answer[f"below_{limit:g}"] = lambda rows, limit=limit: float(
            (((rows[column] < limit) == (rows.dft < limit)) & rows[column].notna()).mean()
        )
    return answer


def row(frame: pd.DataFrame, column: str) -> dict[str, str]:
    """Return each measure with its interval, hosts drawn with replacement."""
    draw = np.random.default_rng(0)
    hosts = [part for _, part in frame.groupby("host")]
    drawn = [
        pd.concat([hosts[i] for i in draw.integers(len(hosts), size=len(hosts))]) for _ in range(N_DRAWS)
    ]
    told = {}
    for name, measure in measures(frame, column).items():
        low, high = np.nanpercentile([measure(rows) for rows in drawn], [2.5, 97.5])
        told[name] = f"{measure(frame):.2f} ({low:.2f} to {high:.2f})"
    return told


def coverage(frame: pd.DataFrame) -> dict[str, object]:
    """Return the spread that all rows ask for, and how many errors lie within one that was fitted on other hosts."""
    known = frame[frame.here.notna()]
    barriers_ev, true_ev = known.here.to_numpy(), known.dft.to_numpy()
    hosts = sorted(set(known.host))
    folds = np.random.default_rng(0).permutation(len(hosts)) % N_FOLDS
    fold = np.array([folds[hosts.index(it)] for it in known.host])
    std = np.empty(len(known))
    for held_out in np.unique(fold):
        left = fold == held_out
        floor_ev, share = fit_spread(barriers_ev[~left], true_ev[~left])
        std[left] = np.hypot(floor_ev, share * barriers_ev[left])
    off = np.abs(barriers_ev - true_ev) / std
    floor_ev, share = fit_spread(barriers_ev, true_ev)
    return {
        "n": len(known), "floor (eV)": floor_ev, "share": share,
        "other hosts within 1 std": f"{(off <= 1.0).mean():.0%}", "within 1.645": f"{(off <= 1.645).mean():.0%}",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--potentials", nargs="+", default=["nequip-mp"], metavar="NAME")
    parser.add_argument("--movers", nargs="+", metavar="ELEMENT", help="only hops of these (default all)")
    parser.add_argument("--top", type=int, help="only the first so many of the smallest cells")
    parser.add_argument("--known-only", action="store_true", help="only what was worked out before")
    parser.add_argument("--rows", action="store_true", help="every hop too")
    options = parser.parse_args()
    lines = sorted(read_lines(reference_data(options.data) / FILE), key=lambda line: line["n_atoms"])
    lines = [line for line in lines if not options.movers or line["mover"] in options.movers][: options.top]
    print(
        f"{platform.platform()}, {os.cpu_count()} cores; Python {platform.python_version()}; "
        + ", ".join(
            f"{name} {version}" for name, version in package_versions(("torch", "nequip", "ase")).items()
        )
    )
    told, covered = [], []
    for name in options.potentials:
        frame = table(lines, name, known_only=options.known_only)
        for movers, part in (("Mg", frame[frame.mover == "Mg"]), ("others", frame[frame.mover != "Mg"])):
            if len(part):
                common = {"movers": movers, "n": len(part), "hosts": part.host.nunique()}
                failed = int(part.here.isna().sum())
                told.append({"potential": name, **common, "no_barrier": failed, **row(part, "here")})
                both = part[part.mace.notna()]
                told.append({"potential": "MACE-MP-0, published", **common, "n": len(both), "no_barrier": 0,
                             **row(both, "mace")})  # fmt: skip
        if (part := frame[frame.mover == "Mg"]).host.nunique() >= N_FOLDS:
            covered.append({"potential": name, **coverage(part)})
        if options.rows:
            print(frame.round(3).to_string(index=False))
    print(pd.DataFrame(told).to_markdown(index=False))
    print("\nSpread of magnesium's, std^2 = floor^2 + (share * barrier)^2:")
    print(pd.DataFrame(covered).to_markdown(index=False))


if __name__ == "__main__":
    main()
