"""How a diffusion run is made: size, temperature, times, every number settable and checked."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from core.errors import DynamicsError
from core.units import FS_PER_PS

CELL_CHANGES: Final = ("full", "volume")
"""What NPT may change: all of the lattice vectors (MTK), or the volume alone (isotropic MTK)."""

_RANGES: Final[dict[str, tuple[float, float]]] = {
    "min_atoms": (2, 20_000),
    "max_atoms": (2, 20_000),
    "vacancy_fraction": (0.0, 0.9),
    "temperature_k": (50.0, 4000.0),
    "time_step_fs": (0.05, 5.0),
    "settle_ps": (0.0, 100.0),
    "npt_ps": (0.0, 10_000.0),
    "nvt_ps": (0.001, 100_000.0),
    "frame_fs": (0.05, 1000.0),
    "friction_per_ps": (0.001, 100.0),
    "settle_friction_per_ps": (0.001, 200.0),
    "thermostat_ps": (0.01, 10.0),
    "barostat_ps": (0.05, 20.0),
    "drift_ps": (0.0, 100.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One way to run molecular dynamics: NPT, then NVT in the mean cell of the NPT's second half.

    Before and after NPT the crystal settles for `settle_ps` at fixed cell (Langevin, `settle_friction_per_ps`): at 0 K
    it hands half of its kinetic energy to the springs, and a cell that springs open leaves heat behind. NPT is
    Martyna-Tobias-Klein at zero pressure with the time constants `thermostat_ps` and `barostat_ps`, NVT Langevin with
    `friction_per_ps`.
    `drift_ps` of NVE between them test the time step; 0 leaves it out. Raises `DynamicsError` for fields out of range.
    """

    name: str
    description: str = field(default="", metadata={"identity": False})  # decides nothing
    min_atoms: int
    max_atoms: int
    vacancy_fraction: float = 0.2
    temperature_k: float = 1200.0
    time_step_fs: float = 2.0
    settle_ps: float
    npt_ps: float
    nvt_ps: float
    frame_fs: float = 20.0
    friction_per_ps: float = 1.0
    settle_friction_per_ps: float = 20.0
    thermostat_ps: float = 0.1
    barostat_ps: float
    drift_ps: float = 1.0
    cell_change: str = "full"

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        if self.max_atoms < self.min_atoms:
            raise DynamicsError(
                f"max_atoms {self.max_atoms} is below min_atoms {self.min_atoms}; raise the one or lower the other."
            )
        if self.cell_change not in CELL_CHANGES:
            raise DynamicsError(
                f"cell_change {self.cell_change!r} is unknown; use one of {', '.join(CELL_CHANGES)}."
            )

    @property
    def frame_steps(self) -> int:
        """Steps between saved frames."""
        return max(round(self.frame_fs / self.time_step_fs), 1)

    @property
    def n_settle_steps(self) -> int:
        """Steps of settling, before NPT and again after it; whole frames."""
        return self._steps(self.settle_ps)

    @property
    def n_npt_steps(self) -> int:
        """Steps of NPT; whole frames."""
        return self._steps(self.npt_ps)

    @property
    def n_equilibration_steps(self) -> int:
        """Steps before NVT: settling, NPT, settling."""
        return 2 * self.n_settle_steps + self.n_npt_steps

    @property
    def n_nvt_steps(self) -> int:
        """Steps of NVT; whole frames."""
        return self._steps(self.nvt_ps)

    @property
    def n_steps(self) -> int:
        """Steps of the whole run, without the NVE test."""
        return self.n_equilibration_steps + self.n_nvt_steps

    @property
    def n_drift_steps(self) -> int:
        """Steps of the NVE test."""
        return math.ceil(self.drift_ps * FS_PER_PS / self.time_step_fs - 1e-9)

    def with_changes(self, **changes: Any) -> "Protocol":
        """Return the protocol with other numbers, checked; raise `DynamicsError` for unknown fields and bad values."""
        known = {item.name for item in fields(self)}
        if unknown := sorted(changes.keys() - known):
            raise DynamicsError(
                f"a protocol has no {', '.join(unknown)}; its fields are {', '.join(sorted(known))}."
            )
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Protocol":
        """Return the protocol that `to_dict` gave; raise `DynamicsError` for missing or unknown fields."""
        known = {item.name for item in fields(cls)}
        if stored.keys() != known:
            odd = ", ".join(sorted(known ^ set(stored)))
            raise DynamicsError(
                f"a stored protocol misses or adds {odd}: it was made by another version. Run again."
            )
        return cls(**stored)

    def _steps(self, duration_ps: float) -> int:
        frame_fs = self.frame_steps * self.time_step_fs
        return math.ceil(duration_ps * FS_PER_PS / frame_fs - 1e-9) * self.frame_steps


def _check_range(name: str, value: object, low: float, high: float) -> None:
    whole = isinstance(low, int)
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise DynamicsError(
            f"{name} is {value!r}; a {'whole ' if whole else ''}number from {low:g} to {high:g} is needed."
        )


PAPER: Final = Protocol(
    name="paper",
    description="As Chen et al. (2024): 512 atoms or more, a fifth of the working ions removed, 10 ps NPT, 50 ps NVT.",
    min_atoms=512, max_atoms=640, settle_ps=0.5, npt_ps=10.0, nvt_ps=50.0, barostat_ps=1.0,
)  # fmt: skip
QUICK: Final = Protocol(
    name="quick",
    description="A quick look: a small cell and a short run that tell fast hosts from slow ones; wide error bars.",
    min_atoms=100, max_atoms=160, settle_ps=0.2, npt_ps=1.0, nvt_ps=6.0, barostat_ps=0.3, drift_ps=0.5,
)  # fmt: skip
LONG: Final = QUICK.with_changes(
    name="long",
    description="A longer look: the quick protocol's small cell, measured for 20 ps; slower diffusion shows.",
    nvt_ps=20.0,
)
PROTOCOLS: Final[Mapping[str, Protocol]] = MappingProxyType(
    {item.name: item for item in (QUICK, LONG, PAPER)}
)


def adapted(protocol: Protocol, **changes: Any) -> Protocol:
    """Return a protocol with other numbers, None meaning as it is, and a name that no longer claims to be the old one.

    Another temperature is no other protocol. `max_atoms` follows a larger `min_atoms`. Raises `DynamicsError` for
    numbers out of range.
    """
    now = protocol.to_dict()
    wanted = {name: value for name, value in changes.items() if value is not None and value != now.get(name)}
    named = {name: value for name, value in wanted.items() if name != "temperature_k"}
    if "min_atoms" in named and "max_atoms" not in named:
        wanted["max_atoms"] = max(protocol.max_atoms, round(1.25 * named["min_atoms"]))
    if named:
        listed = ", ".join(f"{name} {value}" for name, value in named.items())
        wanted |= {
            "name": f"{protocol.name}-changed",
            "description": f"{protocol.description} Changed: {listed}.",
        }
    return protocol.with_changes(**wanted)


def default_protocol(device: str) -> Protocol:
    """Return the paper's protocol for a GPU (`cuda:N`) and the quick one for a CPU."""
    return PAPER if device.startswith("cuda") else QUICK
