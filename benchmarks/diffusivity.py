"""Diffusivity by `core.transport` and by kinisi 2.1.0, the referee, on the same wrapped frames in one run.

Walks of known D in a triclinic cell with a vibrating, drifting framework: free, along one axis, and by rare hops. Both
get the same frames, lags and start of the straight part; both unwrap, subtract the framework's drift (kinisi by plain
mean) and fit. kinisi is no dependency of the explorer; in an environment of its own, from the repository's root:

    python3 -m venv .venv-kinisi && .venv-kinisi/bin/pip install kinisi==2.1.0 ase==3.29.0 scipy==1.17.1 numpy==2.4.6
    OMP_NUM_THREADS=1 .venv-kinisi/bin/python -m benchmarks.diffusivity [--walks 20] [--seed 0]

Columns: D / truth and claimed std / truth, means over the walks; scatter / truth of D over the walks, which the claimed
std should equal; how many 95 % intervals cover the truth; CPU time from frames to interval. Below each pair the ratios
core / kinisi walk by walk, mean and scatter, and how many times less CPU time core takes. Walks that core's regime test
refuses by chance (about one in fifty) are left out of both.
"""

import argparse
import platform
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from core.transport import Trajectory, measure
from core.transport.msd import lag_grid
from core.units import CM2_PER_S_PER_A2_PER_PS

FRAME_PS, N_FRAMES, N_MOBILE, N_FRAMEWORK = 0.1, 500, 24, 48
CELL_A = np.array([[14.0, 0.0, 0.0], [-5.0, 13.0, 0.0], [3.0, -4.0, 12.0]])
START_PS = 2.5
D_A2_PER_PS, HOP_A = 0.05, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one program says of one walk."""

    d: float
    std: float
    low: float
    high: float
    cpu_s: float


def steps_a(motion: str, rng: np.random.Generator) -> np.ndarray:
    shape = (N_FRAMES, N_MOBILE, 3)
    if motion == "hops":
        rate = D_A2_PER_PS * FRAME_PS / HOP_A**2
        return HOP_A * (rng.poisson(rate, shape) - rng.poisson(rate, shape).astype(float))
    axes = np.array([1.0, 0.0, 0.0]) if motion == "along x" else np.ones(3)
    return rng.normal(0, np.sqrt(2 * D_A2_PER_PS * 3 / axes.sum() * FRAME_PS), shape) * axes


def frames(motion: str, rng: np.random.Generator) -> Trajectory:
    still = np.zeros((N_FRAMES, N_FRAMEWORK, 3))
    walk_a = np.cumsum(np.concatenate([steps_a(motion, rng), still], axis=1), axis=0)
    walk_a += rng.normal(0, 0.2, walk_a.shape) + 0.01 * np.arange(N_FRAMES)[:, None, None]
    frac = rng.random((1, N_MOBILE + N_FRAMEWORK, 3)) + walk_a @ np.linalg.inv(CELL_A)
    return Trajectory(
        species=("Mg",) * N_MOBILE + ("O",) * N_FRAMEWORK, step=np.arange(N_FRAMES), time_step_fs=1000 * FRAME_PS,
        frac=frac % 1.0, cell_a=CELL_A,
    )  # fmt: skip


def by_core(trajectory: Trajectory) -> Answer | None:
    start = time.process_time()
    found = measure([trajectory], "Mg", confidence=0.95, start_ps=START_PS)
    spent = time.process_time() - start
    if found.d_cm2_per_s is None or found.d_std_cm2_per_s is None:
        return None
    return Answer(
        d=found.d_cm2_per_s, std=found.d_std_cm2_per_s, low=found.d_low_cm2_per_s or 0.0,
        high=found.d_high_cm2_per_s or 0.0, cpu_s=spent,
    )  # fmt: skip


def by_kinisi(trajectory: Trajectory, seed: int) -> Answer:
    import scipp as sc
    from ase import Atoms
    from kinisi.analyze import DiffusionAnalyzer

    atoms = [
        Atoms(list(trajectory.species), scaled_positions=frac, cell=CELL_A, pbc=True)
        for frac in trajectory.frac
    ]
    lags = lag_grid(N_FRAMES)
    lags_fs = sc.array(dims=["time interval"], values=lags * trajectory.time_step_fs, unit="fs")
    start = time.process_time()
    analyzer = DiffusionAnalyzer.from_ase(
        trajectory=atoms, specie="Mg", time_step=sc.scalar(trajectory.time_step_fs, unit="fs"),
        step_skip=sc.scalar(1, unit="dimensionless"), dt=lags_fs, progress=False,
    )  # fmt: skip
    analyzer.diffusion(
        sc.scalar(1000 * START_PS, unit="fs"), progress=False, random_state=np.random.RandomState(seed)
    )
    spent = time.process_time() - start
    samples = analyzer.D.values
    low, high = np.percentile(samples, [2.5, 97.5])
    return Answer(d=samples.mean(), std=samples.std(), low=low, high=high, cpu_s=spent)


def report(motion: str, n_walks: int, seed: int) -> None:
    walks = [frames(motion, np.random.default_rng([seed, walk])) for walk in range(n_walks)]
    pairs = [(answer, walk) for walk in walks if (answer := by_core(walk)) is not None]
    ours = [answer for answer, _ in pairs]
    theirs = [by_kinisi(walk, seed) for _, walk in pairs]
    truth = D_A2_PER_PS * CM2_PER_S_PER_A2_PER_PS
    d_ratio = np.array([a.d / b.d for a, b in zip(ours, theirs, strict=True)])
    std_ratio = np.array([a.std / b.std for a, b in zip(ours, theirs, strict=True)])
    for name, answers in (("core", ours), ("kinisi", theirs)):
        d = np.array([a.d for a in answers])
        std = np.mean([a.std for a in answers])
        covered = sum(a.low < truth < a.high for a in answers)
        cpu_ms = 1000 * np.median([a.cpu_s for a in answers])
        print(f"{motion:<8} {name:<7} {d.mean() / truth:>9.3f} {std / truth:>9.3f} {d.std() / truth:>9.3f} "
              f"{covered:>7}/{len(answers)} {cpu_ms:>8.1f}")  # fmt: skip
    speed = np.median([b.cpu_s for b in theirs]) / np.median([a.cpu_s for a in ours])
    print(
        f"{motion:<8} core / kinisi: D {d_ratio.mean():.3f} ± {d_ratio.std():.3f}, "
        f"std {std_ratio.mean():.2f} ± {std_ratio.std():.2f}, {speed:.0f} times less CPU time"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--walks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # kinisi's matrix repair warns at every fit
    print(f"{platform.platform()}; Python {platform.python_version()}, "
          f"{', '.join(f'{name} {version(name)}' for name in ('kinisi', 'numpy', 'scipy'))}")  # fmt: skip
    print(f"{N_MOBILE} Mg, {N_FRAMEWORK} O, {N_FRAMES} frames of {FRAME_PS} ps; fit from {START_PS} ps; "
          f"{options.walks} walks a row, seed {options.seed}")  # fmt: skip
    print(f"{'motion':<8} {'by':<7} {'D':>9} {'std':>9} {'scatter':>9} {'covered':>10} {'CPU ms':>8}")
    for motion in ("free", "along x", "hops"):
        report(motion, options.walks, options.seed)


if __name__ == "__main__":
    main()
