"""How often the 90 % intervals of a voltage model hold, by ion and split, before and after its factors of the groups.

    python -m benchmarks.coverage --data ../shared/data [--model frozen-host]

From the model's table of out-of-fold predictions. The factors of a row are fitted without its fold and without the rows
of that fold's electrodes in the other split. `frameworks`: the same share with one vote for each framework.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.settings import Settings
from core.voltage.calibrate import HALF_WIDTH_IN_STD
from core.voltage.dataset import load_labelled
from core.voltage.evaluation.evaluate import inside_by_partition
from core.voltage.recalibration import AS_STATED, read_out_of_fold
from core.voltage.weights import read_card

MIN_ROWS = 30


def shares(inside: NDArray[np.bool_], ions: NDArray[np.str_]) -> dict[str, tuple[int, float]]:
    """Return number and share of rows inside, by ion of enough rows, then of all."""
    found = {
        str(ion): (int((ions == ion).sum()), float(inside[ions == ion].mean())) for ion in np.unique(ions)
    }
    kept = {ion: item for ion, item in found.items() if item[0] >= MIN_ROWS}
    return kept | {"all": (len(inside), float(inside.mean()))}


def by_framework(inside: NDArray[np.bool_], frameworks: NDArray[np.str_]) -> float:
    """Return the share of rows inside, each framework with one vote."""
    _, place, counts = np.unique(frameworks, return_inverse=True, return_counts=True)
    return float(np.average(inside, weights=1.0 / counts[place]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    settings = Settings.from_environment()
    parser.add_argument("--data", type=Path, default=settings.data)
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args()
    models, data = settings.precomputed / "models", load_labelled(arguments.data)
    card = read_card(models, arguments.model)
    predicted = read_out_of_fold(models, card, data)
    grouped = inside_by_partition(data, predicted, AS_STATED)
    print(f"{card.name}: share of labels inside the 90 % interval\nsplit    ion          n   plain  by group")
    for name, item in predicted.items():
        errors_v = item.voltages_v - data.voltages_v[item.rows]
        plain = np.abs(errors_v) <= HALF_WIDTH_IN_STD * item.spread_v
        ions, frameworks = np.array(item.working_ions), np.array(item.frameworks)
        before, after = shares(plain, ions), shares(grouped[name], ions)
        for ion, (n, share) in after.items():
            print(f"{name:<9}{ion:<8}{n:>6}  {before[ion][1]:6.1%}  {share:8.1%}")
        old, new = (by_framework(inside, frameworks) for inside in (plain, grouped[name]))
        print(f"{name:<9}frameworks{len(set(frameworks)):>4}  {old:6.1%}  {new:8.1%}", flush=True)


if __name__ == "__main__":
    main()
