"""Screening in a cascade: the graph network first, the potentials only for what could pass. What is lost and saved?

    python -m benchmarks.cascade [--precomputed FOLDER] [--sample 300] [--voltage 3.0] [--seed 0]

A candidate goes on where the cheaper kind's voltage lies above the threshold less a margin. First `cgcnn` before
`frozen-host`, on all candidates of the release, whose frozen-host voltages it holds; then both before `relaxed-ends`,
and `frozen-host` alone before it, on a random sample (0 leaves it out), whose raw ends are kept in checkpoints/, so
that a stopped run goes on. Lost: of those that the costliest kind lets pass, the share that never came to it. Costs are
CPU seconds a structure of one thread, measured here.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.records import Crystal
from core.settings import Settings
from core.store import open_reader
from core.voltage import VoltageModel, load_voltage_model
from core.voltage.kinds.frozen_host.backbones import Backbones
from core.voltage.kinds.frozen_host.features import metal_energies
from core.voltage.kinds.relaxed_ends.ends import Instruments, raw_ends

Floats = NDArray[np.float64]
MARGINS_V: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
N_LARGE: Final = 384_871
"""Structures of the paper's largest source, GNoME."""

N_TIMED: Final = 24


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one call, all threads together."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def lost_and_reached(
    cheap: list[Floats], costly: Floats, threshold_v: float, margin_v: float
) -> tuple[float, list[float]]:
    """Return the share of passing candidates that is lost, and the share that reaches each stage after the first."""
    alive = np.ones(len(costly), dtype=np.bool_)
    reached = []
    for voltages_v in cheap:
        alive &= voltages_v > threshold_v - margin_v
        reached.append(float(alive.mean()))
    passing = costly > threshold_v
    return float((passing & ~alive).sum() / max(1, passing.sum())), reached


def table(
    names: list[str], cheap: list[Floats], costly: Floats, costs_s: list[float], threshold_v: float
) -> None:
    """Print a line a margin."""
    print(f"\n{' -> '.join(names)}: n = {len(costly)}, {(costly > threshold_v).sum()} pass {threshold_v:g} V")
    heads = "".join(f"{'to ' + name:>16}" for name in names[1:])
    print(f"{'margin/V':>9}{'lost':>8}{heads}{'time':>8}  hours for {N_LARGE:,}")
    for margin_v in MARGINS_V:
        lost, reached = lost_and_reached(cheap, costly, threshold_v, margin_v)
        cost_s = float(np.dot([1.0, *reached], costs_s))
        shares = "".join(f"{share:>16.1%}" for share in reached)
        hours, all_hours = (seconds * N_LARGE / 3600 for seconds in (cost_s, costs_s[-1]))
        print(
            f"{margin_v:>9.2f}{lost:>8.1%}{shares}{cost_s / costs_s[-1]:>8.1%}  {hours:,.0f} of {all_hours:,.0f}"
        )


def predicted(model: VoltageModel, crystals: list[Crystal]) -> Floats:
    """Return (n,) voltages for Mg, -inf where there is none."""
    rows = model.predict(crystals, ["Mg"] * len(crystals))
    return np.array([-np.inf if row.voltage_v is None else row.voltage_v for row in rows])


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    settings = Settings.from_environment()
    parser.add_argument("--precomputed", type=Path, default=settings.precomputed)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--voltage", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with open_reader(arguments.precomputed) as reader:
        frame = reader.voltages_of("frozen-host")
        crystals = [reader.crystal(id) for id in frame["id"]]
    frozen_v = frame["voltage_v"].to_numpy(dtype=np.float64)
    cgcnn = load_voltage_model("cgcnn", arguments.precomputed / "models")
    found: list[Floats] = []
    cgcnn_s = cpu_seconds(lambda: found.append(predicted(cgcnn, crystals))) / len(crystals)
    cgcnn_v = found[0]
    rng = np.random.default_rng([arguments.seed, 8])
    timed = [crystals[it] for it in rng.permutation(len(crystals))[:N_TIMED]]
    frozen_s = timed_frozen_host(timed)
    print(
        f"CPU seconds a structure: cgcnn {cgcnn_s:.4f} (n = {len(crystals)}), "
        f"frozen-host {frozen_s:.2f} (n = {N_TIMED})"
    )
    print(f"cgcnn from frozen-host: mean {np.abs(cgcnn_v - frozen_v)[np.isfinite(cgcnn_v)].mean():.3f} V")
    table(["cgcnn", "frozen-host"], [cgcnn_v], frozen_v, [cgcnn_s, frozen_s], arguments.voltage)
    if arguments.sample:
        sample = np.sort(rng.permutation(len(crystals))[: arguments.sample])
        relaxed_s = timed_relaxed_ends(timed)
        print(f"relaxed-ends: {relaxed_s:.2f} CPU seconds a structure (n = {N_TIMED})", flush=True)
        relaxed_v = predicted(load_voltage_model("relaxed-ends"), [crystals[it] for it in sample])
        table(
            ["cgcnn", "frozen-host", "relaxed-ends"], [cgcnn_v[sample], frozen_v[sample]], relaxed_v,
            [cgcnn_s, frozen_s, relaxed_s], arguments.voltage,
        )  # fmt: skip
        table(
            ["frozen-host", "relaxed-ends"], [frozen_v[sample]], relaxed_v, [frozen_s, relaxed_s], arguments.voltage
        )  # fmt: skip


def timed_frozen_host(crystals: list[Crystal]) -> float:
    """Return CPU seconds a structure of the frozen-host features, the potentials' start left out."""
    from core.voltage.kinds.frozen_host.features import features as frozen_features

    backbones = Backbones.load()
    metals = metal_energies(backbones)
    return cpu_seconds(lambda: [frozen_features(it, "Mg", backbones, metals) for it in crystals]) / len(
        crystals
    )


def timed_relaxed_ends(crystals: list[Crystal]) -> float:
    """Return CPU seconds a structure of the raw ends, the potentials' start left out."""
    instruments = Instruments.load()
    return cpu_seconds(lambda: [raw_ends(it, "Mg", instruments) for it in crystals]) / len(crystals)


if __name__ == "__main__":
    main()
