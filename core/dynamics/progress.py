"""What a run tells of itself on the way and at its end."""

import time
from dataclasses import dataclass

from core.dynamics.state import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run's figures at one step; mean-square displacements count from the start of the phase, drift taken off.

    `energy_ev_per_atom` is potential energy. `seconds_per_step` is that of this sitting.
    """

    phase: str
    step: int
    n_steps: int
    time_ps: float
    temperature_k: float
    energy_ev_per_atom: float
    volume_a3: float
    msd_mobile_a2: float
    msd_framework_a2: float
    seconds_per_step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: "finished", "stopped" (resume it) or "aborted" by a check, with the reason.

    `cause` names the check in a word or two, such as "framework melted" or "drift"; None where none failed. `n_steps`
    and `seconds` count all sittings; `seconds` holds the NVE test as well.
    """

    state: str
    reason: str
    cause: str | None
    n_steps: int
    seconds: float
    atom_steps_per_s: float
    drift_mev_per_atom_per_ps: float | None


class Clock:
    """Wall time of one sitting, and what is due by it."""

    def __init__(self, state: RunState, **intervals_s: float) -> None:
        self._state = state
        self._intervals_s = intervals_s
        self._begun = self._counted = time.monotonic()
        self._first_step = state.step
        self._last = dict.fromkeys(intervals_s, self._begun)

    def due(self, what: str) -> bool:
        """Whether the interval of this is over since `done`."""
        return time.monotonic() - self._last[what] >= self._intervals_s[what]

    def done(self, what: str) -> None:
        """Start the interval of this anew."""
        self._last[what] = time.monotonic()

    def count(self) -> None:
        """Add the time since the last count to the run's seconds."""
        now = time.monotonic()
        self._state.seconds += now - self._counted
        self._counted = now

    @property
    def seconds_per_step(self) -> float:
        """Mean of this sitting."""
        return (time.monotonic() - self._begun) / max(self._state.step - self._first_step, 1)
