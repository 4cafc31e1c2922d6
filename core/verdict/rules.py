"""The criteria that a cathode is judged by: each a rule over a frame and the words for one row.

Two sorts of limit. What a user asks for (capacity, voltage) is met by the value itself, as in the funnel; the spread is
in the pass probability, and a voltage below the limit is against only where its whole interval is. Limits of nature
(electrolyte, hull, barrier) count the error on both sides: what lies within it is unknown.
"""

from typing import Any, Final

import numpy as np

from core.oxidation import has_anion, redox_metals
from core.quantities import is_missing, significant
from core.supply import shunned
from core.thresholds import (
    CHARGED_HULL_EV_PER_ATOM,
    DISCHARGED_HULL_EV_PER_ATOM,
    FAR_BELOW_HULL_EV_PER_ATOM,
    Thresholds,
)
from core.verdict.facts import AGAINST, FOR, UNKNOWN, Facts, States, states
from core.verdict.outcome import (
    MELTED,
    Outcomes,
    barrier_limit_ev,
    barrier_outcome,
    conductivity_outcome,
    sigma_limit_ms_per_cm,
)
from core.verdict.rule import NOT_SETTLED, Row, Rule, elements_of, number_of, text_of, word_of
from core.verdict.voltages import INSERTION, VOLTAGE_RULES


def _redox(facts: Facts, thresholds: Thresholds) -> States:
    electrons = facts.number("capacity_redox_vol_ah_per_l")
    hopeless = facts.elements_known & ~facts.could_be_redox
    return states(electrons > 0.0, hopeless | (electrons <= 0.0))


def _redox_words(row: Row, state: int, thresholds: Thresholds) -> str:
    elements = elements_of(row)
    metals = redox_metals(elements)
    if state == FOR:
        together = " together" if len(metals) > 1 else ""
        return f"{' and '.join(metals) or 'a redox metal'}{together} can pay for ions that leave"
    if state == AGAINST and not elements:
        return "no electrons to give"
    if state == AGAINST and not metals:
        return "no redox metal: nothing pays for ions that leave"
    if state == AGAINST and not has_anion(elements):
        return "no anion: an intermetallic"
    if state == AGAINST:
        return f"{' and '.join(metals)} already at the highest common oxidation state: no electrons to give"
    return "oxidation states cannot be counted"


def _capacity(facts: Facts, thresholds: Thresholds) -> States:
    capacity, limit = facts.number("capacity_redox_vol_ah_per_l"), thresholds.capacity_vol_ah_per_l
    return states(capacity > limit, capacity <= limit)


def _capacity_words(row: Row, state: int, thresholds: Thresholds) -> str:
    limit = text_of("capacity_vol_ah_per_l", thresholds.capacity_vol_ah_per_l)
    if state in (FOR, AGAINST):
        capacity = text_of("capacity_redox_vol_ah_per_l", row["capacity_redox_vol_ah_per_l"])
        return f"redox-limited capacity {capacity}, {limit} asked for"
    return "redox-limited capacity cannot be counted"


def _host(facts: Facts, thresholds: Thresholds) -> States:
    return states(facts.is_text("framework", "topotactic"), facts.is_text("framework", "collapsed"))


def _host_words(row: Row, state: int, thresholds: Thresholds) -> str:
    framework = word_of(row, "framework")
    if not framework:
        return "host not relaxed yet"
    if framework == NOT_SETTLED:
        return "host had not settled when relaxation stopped: whether it survives charging is not known"
    change, move = number_of(row, "volume_change"), number_of(row, "largest_move_a")
    detail = [
        "" if change is None else f"volume {change:+.1%}",
        "" if move is None else f"a host atom moves {move:.2f} Å",
    ]
    told = ", ".join(it for it in detail if it)
    asked = ", whether it comes back is not known" if framework == "distorted" else ""
    return f"host {framework}" + (f": {told}" if told else "") + asked


def _below(value: Any, std: Any, limit: float) -> States:
    """Without its error (NaN) a value is neither below nor above; far below the hull it proves nothing."""
    return states((value + std <= limit) & (value >= -FAR_BELOW_HULL_EV_PER_ATOM), value - std > limit)


def _charged(facts: Facts, thresholds: Thresholds) -> States:
    """What had not settled would come down further: its energy can speak for it, not against it."""
    name = "charged_e_above_hull"
    energy, std = facts.number(f"{name}_ev_per_atom"), facts.number(f"{name}_std_ev_per_atom")
    found = _below(energy, std, CHARGED_HULL_EV_PER_ATOM)
    found[(found == AGAINST) & facts.is_text("framework", NOT_SETTLED)] = UNKNOWN
    return found


def _hull_words(value: Any, std: Any, limit: float, state: int, *, is_stated: bool = False) -> str:
    error = "" if is_stated else " (error not known)" if is_missing(std) else f" ± {float(std):.3f}"
    if round(float(value), 3) < 0.0:
        judged = ", too far to judge by" if float(value) < -FAR_BELOW_HULL_EV_PER_ATOM else ""
        return f"{-float(value):.3f}{error} eV/atom below the hull of known phases{judged}"
    is_close = state == UNKNOWN and not is_missing(std)
    allowed = f"too near the {limit:g} allowed to tell" if is_close else f"up to {limit:g} allowed"
    return f"{abs(float(value)):.3f}{error} eV/atom above the hull, {allowed}"


def _charged_words(row: Row, state: int, thresholds: Thresholds) -> str:
    energy = number_of(row, "charged_e_above_hull_ev_per_atom")
    if energy is None:
        return "stability of the charged end not known"
    std = number_of(row, "charged_e_above_hull_std_ev_per_atom")
    if state == UNKNOWN and std is not None and word_of(row, "framework") == NOT_SETTLED:
        return f"charged end at most {energy:.3f} ± {std:.3f} eV/atom above the hull: it had not settled"
    return f"charged end {_hull_words(energy, std, CHARGED_HULL_EV_PER_ATOM, state)}"


def _discharged(facts: Facts, thresholds: Thresholds) -> States:
    stated = facts.number("e_above_hull_ev_per_atom")
    computed = facts.number("discharged_e_above_hull_ev_per_atom")
    std = np.where(np.isnan(stated), facts.number("discharged_e_above_hull_std_ev_per_atom"), 0.0)
    return _below(np.where(np.isnan(stated), computed, stated), std, DISCHARGED_HULL_EV_PER_ATOM)


def _discharged_words(row: Row, state: int, thresholds: Thresholds) -> str:
    value, std = row.get("e_above_hull_ev_per_atom"), None
    is_stated = not is_missing(value)
    if not is_stated:
        value = row.get("discharged_e_above_hull_ev_per_atom")
        std = row.get("discharged_e_above_hull_std_ev_per_atom")
    if is_missing(value):
        return "stability of the discharged compound not known"
    words = _hull_words(value, std, DISCHARGED_HULL_EV_PER_ATOM, state, is_stated=is_stated)
    return f"discharged {words}, {'stated by its source' if is_stated else 'computed'}"


def _elements(facts: Facts, thresholds: Thresholds) -> States:
    return states(facts.elements_known & ~facts.is_shunned, facts.is_shunned)


def _elements_words(row: Row, state: int, thresholds: Thresholds) -> str:
    elements = elements_of(row)
    if not elements:
        return "elements not known"
    radioactive, rare = shunned(elements)
    found = [
        f"{' and '.join(radioactive)} radioactive" if radioactive else "",
        f"{' and '.join(rare)} rare" if rare else "",
    ]
    return ", ".join(it for it in found if it) or "no radioactive or rare element"


def _states_of(outcome: Outcomes) -> States:
    return states(outcome == "passed", outcome == "failed")


def _barrier(facts: Facts, thresholds: Thresholds) -> States:
    return _states_of(barrier_outcome(facts, thresholds))


def _barrier_words(row: Row, state: int, thresholds: Thresholds) -> str:
    barrier_ev, std_ev = number_of(row, "barrier_ev"), number_of(row, "barrier_std_ev")
    if barrier_ev is None:
        return "how high ions must climb to get through is not known"
    error = " (error not known)" if std_ev is None else f" ± {std_ev:.2f}"
    limit_ev = barrier_limit_ev(thresholds)
    is_close = state == UNKNOWN and std_ev is not None
    allowed = f"too near the {limit_ev:g} allowed to tell" if is_close else f"up to {limit_ev:g} allowed"
    return f"ions must climb {barrier_ev:.2f}{error} eV to get through, {allowed}"


def _dynamics(facts: Facts, thresholds: Thresholds) -> States:
    """A host that melts speaks against itself, whatever its ions do."""
    found = _states_of(conductivity_outcome(facts, thresholds))
    found[facts.is_text("sigma_verdict", MELTED)] = AGAINST
    return found


def _dynamics_words(row: Row, state: int, thresholds: Thresholds) -> str:
    verdict, at = word_of(row, "sigma_verdict"), row.get("sigma_temperature_k")
    where = "" if is_missing(at) else f" at {text_of('sigma_temperature_k', at)}"
    if verdict == MELTED:
        conducts = _conducts_words(row, "", thresholds)
        return f"the framework melts{where}" + (f", and {conducts}" if conducts else "")
    told = f"{verdict}{where}" if verdict else "not simulated"
    undecided = ", which does not decide it" if state == UNKNOWN else ""
    conducts = _conducts_words(row, where, thresholds)
    return f"{conducts}{undecided}" if conducts else told


def _melting_hint(row: Row) -> str:
    melted = word_of(row, "melted_polymorph")
    return f"its polymorph {melted} melts in molecular dynamics" if melted else ""


def _conducts_words(row: Row, where: str, thresholds: Thresholds) -> str:
    if (sigma := number_of(row, "sigma_ms_per_cm")) is not None:
        value = significant(sigma)
    elif (high := number_of(row, "sigma_high_ms_per_cm")) is not None:
        value = f"less than {significant(high)}"
    else:
        return ""
    limit = significant(sigma_limit_ms_per_cm(thresholds))
    asked = f"the paper asks for {limit}" if thresholds.sigma_ms_per_cm is None else f"{limit} asked for"
    return f"conducts {value} mS/cm{where}, {asked}"


RULES: Final = (
    Rule(key="redox", title="Redox-active", judge=_redox, words=_redox_words),
    Rule(key="capacity", title="Capacity from redox", judge=_capacity, words=_capacity_words),
    *VOLTAGE_RULES,
    Rule(key="host", title="Host survives", judge=_host, words=_host_words),
    Rule(key="charged", title="Charged end is stable enough", judge=_charged, words=_charged_words),
    Rule(key="discharged", title="Can be made", judge=_discharged, words=_discharged_words),
    INSERTION,
    Rule(key="elements", title="No radioactive or rare element", judge=_elements, words=_elements_words),
    Rule(key="barrier", title="Ions get through", judge=_barrier, words=_barrier_words, needed=False),
    Rule(key="dynamics", title="Ions move in a solid host", judge=_dynamics, words=_dynamics_words, needed=False,
         hint=_melting_hint),
)  # fmt: skip
"""All criteria, in the order in which they are read. The first is hard: against it, nothing is a cathode."""
