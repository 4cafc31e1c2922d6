"""Server time of one slider move on the Screen page, at the shipped size and at two larger synthetic ones.

A move reads the filtered candidates from the store, then works out the funnel, who passes and with what probability.
Beside it pandas does the same from a frame that is already in memory. Synthetic rows are the shipped release's rows,
drawn with replacement by a seed, under new ids: sizes are those of the paper (15,308) and of GNoME (380,000).

    python -m benchmarks.screen [--precomputed FOLDER] [--rows 3128 15308 380000] [--seed 0]
"""

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

from core.probability import pass_probability
from core.provenance import package_versions
from core.screening import Thresholds, funnel, pareto_front, passes
from core.settings import Settings
from core.store import SCREEN_COLUMNS, Filters, Reader, read_manifest

THRESHOLDS = Thresholds(voltage_v=2.5, capacity_vol_ah_per_l=600.0, sigma_ms_per_cm=None)
FILTERS = {
    "no filter": Filters(),
    "O, no Co, hull": Filters(
        required_elements=("O",),
        forbidden_elements=("Co",),
        max_e_above_hull_ev_per_atom=0.1,
        in_domain_only=True,
    ),
}
NUMBERS = (
    "voltage_v", "voltage_std_v", "capacity_vol_ah_per_l",
    "sigma_ms_per_cm", "sigma_low_ms_per_cm", "sigma_high_ms_per_cm",
)  # fmt: skip


def synthetic_release(release: Path, rows: int, seed: int, folder: Path) -> Path:
    """Copy a release and fill its view with resampled rows; the shipped number of rows is taken as it is."""
    path = folder / f"release-{rows}.duckdb"
    shutil.copyfile(release, path)
    with duckdb.connect(str(path)) as connection:
        shipped = connection.execute("SELECT count(*) FROM screening_rows").fetchone()
        if shipped and shipped[0] == rows:
            return path
        connection.execute("SET threads = 1")
        connection.execute("CREATE TABLE shipped AS SELECT row_number() OVER () AS n, * FROM screening_rows")
        connection.execute("DELETE FROM screening_rows")
        connection.execute("SELECT setseed(?)", [seed / 2**31])
        connection.execute(
            "CREATE TABLE drawn AS SELECT i, 1 + floor(random() * (SELECT count(*) FROM shipped))::BIGINT AS n "
            "FROM range(?) AS r(i)",
            [rows],
        )
        connection.execute(
            "INSERT INTO screening_rows SELECT s.* EXCLUDE (n) REPLACE ('row-' || lpad(d.i::VARCHAR, 7, '0') AS id) "
            "FROM drawn AS d JOIN shipped AS s USING (n) ORDER BY d.i"
        )
        connection.execute("DROP TABLE drawn")
        connection.execute("DROP TABLE shipped")
    return path


def move(frame: pd.DataFrame) -> None:
    """What follows the filter on every move, the same for both sides."""
    funnel(frame, THRESHOLDS)
    passes(frame, THRESHOLDS)
    pass_probability(frame, THRESHOLDS)


def pandas_filter(frame: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The same filters with pandas, on element sets made beforehand."""
    mask = pd.Series(True, index=frame.index)
    if filters.required_elements:
        mask &= frame.element_set.map(frozenset(filters.required_elements).issubset)
    if filters.forbidden_elements:
        mask &= frame.element_set.map(frozenset(filters.forbidden_elements).isdisjoint)
    if filters.max_e_above_hull_ev_per_atom is not None:
        hull = frame.e_above_hull_ev_per_atom
        mask &= hull.isna() | (hull <= filters.max_e_above_hull_ev_per_atom)
    if filters.in_domain_only:
        mask &= frame.in_domain
    return frame[mask]


def median_ms(run: Callable[[], object], repeats: int) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000.0


def report(path: Path, rows: int, repeats: int) -> None:
    with Reader(path, sha256="") as reader:
        frame = reader.screen(columns=(*SCREEN_COLUMNS, "elements"))
        frame["element_set"] = frame.pop("elements").map(frozenset)
        for name, filters in FILTERS.items():
            left = len(pandas_filter(frame, filters))
            if left != len(reader.screen(filters)):
                raise SystemExit(f"store and pandas disagree on {name} at {rows} rows")
            whole = median_ms(lambda filters=filters: move(reader.screen(filters)), repeats)
            lean = median_ms(lambda filters=filters: move(reader.screen(filters, NUMBERS)), repeats)
            memory = median_ms(lambda filters=filters: move(pandas_filter(frame, filters)), repeats)
            print(
                f"{rows:>8,} {name:<15} {left:>8,} {whole:>10.1f} {lean:>10.1f} {memory:>10.1f} "
                f"{memory / whole:>8.2f} {memory / lean:>8.2f}"
            )
        front = median_ms(lambda: pareto_front(frame), repeats)
        print(f"{rows:>8,} Pareto front of all rows: {front:.1f} ms, {int(pareto_front(frame).sum())} on it")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--precomputed", type=Path, default=Settings.from_environment().precomputed)
    parser.add_argument("--rows", type=int, nargs="+", default=[3128, 15308, 380_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    manifest = read_manifest(options.precomputed)
    load = os.getloadavg()[0]
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, load {load:.1f}; Python {platform.python_version()}"
    )
    print(", ".join(f"{k} {v}" for k, v in package_versions(("duckdb", "pandas", "numpy", "scipy")).items()))
    print(f"release {manifest.version}; medians of {options.repeats} moves in ms; seed {options.seed}")
    print(
        "store: all columns of the page; lean: the numbers alone, rows fetched later; pandas: frame in memory"
    )
    print(f"{'rows':>8} {'filter':<15} {'left':>8} {'store':>10} {'lean':>10} {'pandas':>10} "
          f"{'pandas/store':>8} {'pandas/lean':>8}")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            path = synthetic_release(options.precomputed / manifest.file, rows, options.seed, Path(folder))
            report(path, rows, options.repeats)


if __name__ == "__main__":
    main()
