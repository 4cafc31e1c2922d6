"""Is a conductivity decided against a limit, and if not, which run could decide it.

outcome(conductivity, 100.0)                      # passed, failed or undecided
standing(measurements, 100.0, seen).next_spec     # the cheapest run that could decide it
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from core.calculations.kinds.diffusion import DiffusionSpec
from core.dynamics import PROTOCOLS, Protocol, adapted
from core.errors import CalculationError
from core.quantities import significant
from core.records import Conductivity

Outcome = Literal["passed", "failed", "undecided"]

SEEDS: Final = 3
"""Seeds of one protocol before a longer one is tried: more of them share what a short run cannot show."""

LONGEST_PS: Final = 200.0
"""No longer run is proposed: what is still undecided then is for the paper's cell, on a GPU."""

_HOPELESS: Final = ("framework melted", "out of domain")


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """The pooled figures of some runs that differ in their seed alone; `spec`: one of them.

    `n_seeds_kept`: of how many runs the displacements are at hand, so that another seed can be pooled with them.
    """

    spec: DiffusionSpec
    pooled: Conductivity
    n_seeds_kept: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """How a crystal's conductivity stands against a limit. `pooled`: the figures that count, None before the first run.

    `next_spec`: the run that could decide it, with `next_words` on what it could tell and `expected_seconds` by the
    speed of earlier ones; None where it is decided, or where no run offered here could.
    """

    outcome: Outcome
    reason: str
    pooled: Conductivity | None = None
    next_spec: DiffusionSpec | None = None
    next_words: str = ""
    expected_seconds: float | None = None


def outcome(sigma: Conductivity, limit_ms_per_cm: float) -> Outcome:
    """Return `passed` where the whole 90 % interval lies above the limit, `failed` where its upper end does not."""
    low, high = sigma.sigma_low_ms_per_cm, sigma.sigma_high_ms_per_cm
    if sigma.verdict in _HOPELESS or high is None:
        return "undecided"
    if high <= limit_ms_per_cm:
        return "failed"
    return "passed" if low is not None and low > limit_ms_per_cm else "undecided"


def standing(
    measurements: Sequence[Measurement], limit_ms_per_cm: float, seen: Sequence[DiffusionSpec] = ()
) -> Standing:
    """Return how measurements of one crystal by one potential at one temperature stand: that with most ions times time.

    `seen`: all runs there are, whose seeds are not proposed again. Raises `CalculationError` for a limit that is not a
    positive number.
    """
    if not (0.0 < limit_ms_per_cm < math.inf):
        raise CalculationError(
            f"limit {limit_ms_per_cm:g} mS/cm; a positive number is needed, such as the paper's 100."
        )
    if not measurements:
        return Standing(outcome="undecided", reason="No run is finished yet.")
    best = max(measurements, key=lambda it: it.pooled.n_working_ions * it.pooled.simulated_ps)
    found = outcome(best.pooled, limit_ms_per_cm)
    now = Standing(outcome=found, reason=_reason(best.pooled, found, limit_ms_per_cm), pooled=best.pooled)
    if found != "undecided" or best.pooled.verdict in _HOPELESS:
        return now
    offered = list(_offered(best, measurements, seen))
    if not offered:
        return replace(now, reason=f"{now.reason} No run of up to {LONGEST_PS:g} ps is left to try.")
    decisive = (it for it in offered if outcome(it[1], limit_ms_per_cm) != "undecided")
    return _proposed(now, *next(decisive, offered[0]))


def longer(protocol: Protocol) -> Protocol:
    """Return the next longer protocol: a named one of the same cell, whose runs others share, else twice as long."""
    for named in PROTOCOLS.values():
        heated = adapted(named, temperature_k=protocol.temperature_k)
        name, words = protocol.name, protocol.description
        is_same = heated.with_changes(name=name, description=words, nvt_ps=protocol.nvt_ps) == protocol
        if is_same and heated.nvt_ps > protocol.nvt_ps:
            return heated
    nvt_ps = 2.0 * protocol.nvt_ps
    return protocol.with_changes(
        nvt_ps=nvt_ps, name=f"{protocol.name.split('-')[0]}-{nvt_ps:g}ps",
        description=f"The cell of protocol {protocol.name}, measured for {nvt_ps:g} ps.",
    )  # fmt: skip


def projected(sigma: Conductivity, simulated_ps: float) -> Conductivity:
    """Return what a measurement of another length would say if the ions went on as they did.

    An upper limit falls as the time in which no hop was seen grows: high t / t'. The ends of an interval draw nearer
    on a logarithm, as the error of a mean does: ln(high / sigma) sqrt(t / t').
    """
    share = sigma.simulated_ps / simulated_ps
    value, low, high = sigma.sigma_ms_per_cm, sigma.sigma_low_ms_per_cm, sigma.sigma_high_ms_per_cm
    if value is None or not low or high is None:
        return replace(sigma, sigma_high_ms_per_cm=None if high is None else max(high * share, value or 0.0))
    return replace(
        sigma, sigma_low_ms_per_cm=value * (low / value) ** math.sqrt(share),
        sigma_high_ms_per_cm=value * (high / value) ** math.sqrt(share),
    )  # fmt: skip


def _reason(sigma: Conductivity, found: Outcome, limit_ms_per_cm: float) -> str:
    low, high = (_told(it, limit_ms_per_cm) for it in (sigma.sigma_low_ms_per_cm, sigma.sigma_high_ms_per_cm))
    asked = f"the {limit_ms_per_cm:g} mS/cm asked for"
    if sigma.verdict in _HOPELESS:
        return f"It ended as {sigma.verdict}: more runs of this kind cannot decide it."
    if not high:
        return f"It ended as {sigma.verdict}: there is no figure to hold against {asked}."
    if not low:
        return f"The upper limit, {high} mS/cm, is {'below' if found == 'failed' else 'above'} {asked}."
    where = {"passed": "above", "failed": "below"}.get(found, "on both sides of")
    return f"The 90 % interval, {low} to {high} mS/cm, lies {where} {asked}."


def _told(value: float | None, limit: float) -> str:
    """A value to three digits, or to as many as tell it from the limit; empty for none."""
    if value is None:
        return ""
    is_close = significant(value, 3) == significant(limit, 3)
    return significant(value, 5 if is_close else 3)


def _offered(
    best: Measurement, measurements: Sequence[Measurement], seen: Sequence[DiffusionSpec]
) -> Iterator[tuple[DiffusionSpec, Conductivity]]:
    """Yield a run of each protocol that has seeds left, the shorter first, and what all its seeds would say."""
    asked, pooled = best.spec, best.pooled
    protocol = asked.protocol if pooled.sigma_high_ms_per_cm is not None else longer(asked.protocol)
    while protocol.nvt_ps <= LONGEST_PS:
        spec = replace(asked, protocol=protocol)
        key, could_be_ps = spec.measurement_key, SEEDS * protocol.nvt_ps
        kept = max((it.n_seeds_kept for it in measurements if it.spec.measurement_key == key), default=0)
        taken = {it.seed for it in seen if it.measurement_key == key}
        if kept < SEEDS and could_be_ps > pooled.simulated_ps:
            unused = next(seed for seed in range(len(taken) + 1) if seed not in taken)
            yield replace(spec, seed=unused), projected(pooled, could_be_ps)
        protocol = longer(protocol)


def _proposed(now: Standing, spec: DiffusionSpec, then: Conductivity) -> Standing:
    protocol, speed = spec.protocol, then.atom_steps_per_s
    seconds = (protocol.n_steps + protocol.n_drift_steps) * then.n_atoms / speed if speed else None
    low, high = then.sigma_low_ms_per_cm, then.sigma_high_ms_per_cm
    if high is None:
        words = "Longer, it can tell diffusion from vibration."
    elif low is None:
        words = f"If the ions still do not get on, {SEEDS} seeds bring the limit to some {significant(high, 3)} mS/cm."
    else:
        ends = f"{significant(low, 3)} to {significant(high, 3)}"
        words = f"{SEEDS} seeds would narrow the interval to some {ends} mS/cm."
    return replace(now, next_spec=spec, next_words=words, expected_seconds=seconds)
