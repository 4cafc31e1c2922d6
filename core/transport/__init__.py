"""From the frames of a simulation to a diffusivity, a conductivity and a barrier, each with an honest error.

The public face, in the order of the work:

- `Trajectory(species, step, time_step_fs, frac, cell_a)`: checked frames, wrapped or not, in fixed or moving cells.
- `measure([trajectory, ...], mobile, confidence=0.9) -> Diffusivity`: all that follows, for one run or pooled seeds.
- `species_msd(trajectory, mobile) -> {species: MeanSquareDisplacement}`; `pool(runs)`;
  `mean_square_displacement(positions_a, frame_ps=)` for positions that are unwrapped already.
- `classify(msd) -> Regime`, `has_melted(framework_msd) -> bool`.
- `diffusivity(msd, framework=[...], confidence=0.9) -> Diffusivity` with `verdict`, `reason` and figures.
- `conductivity(diffusivity, n_ions=, charge_number=, volume_a3=, temperature_k=) -> IonicConductivity`.
- `arrhenius(temperature_k, d_cm2_per_s, d_std_cm2_per_s) -> Arrhenius`, `.at(temperature_k) -> Extrapolation`.

Raises `TransportError` and its kinds `NonFiniteFrameError`, `FrameSequenceError`, `UnwrapError`,
`TooFewTemperaturesError`.
"""

from core.transport.arrhenius import Arrhenius, Extrapolation, arrhenius
from core.transport.conductivity import IonicConductivity, conductivity, nernst_einstein_ms_per_cm
from core.transport.diffusivity import AxisDiffusivity, Diffusivity, diffusivity, measure
from core.transport.msd import MeanSquareDisplacement, mean_square_displacement, pool, species_msd
from core.transport.regime import REGIMES, Regime, classify, has_melted
from core.transport.trajectory import Trajectory, framework_frame, unwrap

__all__ = [
    "REGIMES",
    "Arrhenius",
    "AxisDiffusivity",
    "Diffusivity",
    "Extrapolation",
    "IonicConductivity",
    "MeanSquareDisplacement",
    "Regime",
    "Trajectory",
    "arrhenius",
    "classify",
    "conductivity",
    "diffusivity",
    "framework_frame",
    "has_melted",
    "mean_square_displacement",
    "measure",
    "nernst_einstein_ms_per_cm",
    "pool",
    "species_msd",
    "unwrap",
]
