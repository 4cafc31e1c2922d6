"""The criteria that a cathode is judged by: each a rule over a frame and the words for one row.

Two sorts of limit. What a user asks for (capacity, voltage) is met by the value itself, as in the funnel; the spread is
in the pass probability, and a voltage below the limit is against only where its whole interval is. Limits of nature
(electrolyte, hull) count the error on both sides: what lies within it is unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import ndtri

from core.oxidation import has_anion, redox_metals
from core.quantities import QUANTITIES, is_missing, significant
from core.records import CONFIDENCE
from core.supply import shunned
from core.thresholds import (
    CHARGED_HULL_EV_PER_ATOM,
    DISCHARGED_HULL_EV_PER_ATOM,
    PAPER_SIGMA_MS_PER_CM,
    Thresholds,
)
from core.verdict.facts import AGAINST, FOR, UNKNOWN, BoolArray, Facts, States, states

Row = Mapping[str, Any]

RELAXED_SPREAD_V: Final = 0.25
"""Standard deviation of a relaxed voltage against its label, rounded up (`benchmarks.relaxed_voltages`)."""

ELECTROLYTE_V: Final = 4.6
"""The highest oxidative stability against magnesium that is known of a magnesium electrolyte, a carborane's.

S. G. McArthur, L. Geng, J. Guo, V. Lavallo, Inorg. Chem. Front. 2, 1101 (2015), doi:10.1039/C5QI00171D.
"""

_HALF_WIDTH: Final = float(ndtri(0.5 + CONFIDENCE / 2.0))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One criterion: `judge` gives the states of a frame, `words` says why one row has its state.

    `needed`: a candidate of which it is not known stays open. Dynamics is not: it costs too much to be asked of all.
    """

    key: str
    title: str
    judge: Callable[[Facts, Thresholds], States]
    words: Callable[[Row, int, Thresholds], str]
    needed: bool = True
    hint: Callable[[Row], str] = lambda row: ""
    """What speaks of it from elsewhere while it is not known, told beside `words`."""


def _elements_of(row: Row) -> list[str]:
    """The elements of a row, none where they are not known."""
    system = _word(row, "chemsys")
    return system.split("-") if system else []


def _text(name: str, value: Any) -> str:
    return QUANTITIES[name].text(value)


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    return None if is_missing(value) else float(value)  # type: ignore[arg-type]


def _word(row: Row, name: str) -> str:
    """A text of a row, empty where it is not known."""
    value = row.get(name)
    return "" if is_missing(value) else str(value)


def _redox(facts: Facts, thresholds: Thresholds) -> States:
    electrons = facts.number("capacity_redox_vol_ah_per_l")
    hopeless = facts.elements_known & ~facts.could_be_redox
    return states(electrons > 0.0, hopeless | (electrons <= 0.0))


def _redox_words(row: Row, state: int, thresholds: Thresholds) -> str:
    elements = _elements_of(row)
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
    limit = _text("capacity_vol_ah_per_l", thresholds.capacity_vol_ah_per_l)
    if state in (FOR, AGAINST):
        capacity = _text("capacity_redox_vol_ah_per_l", row["capacity_redox_vol_ah_per_l"])
        return f"redox-limited capacity {capacity}, {limit} asked for"
    return "redox-limited capacity cannot be counted"


def _interval(facts: Facts) -> tuple[Any, Any, Any]:
    """Predicted voltage with the ends of its 90 % interval."""
    return facts.number("voltage_v"), facts.number("voltage_low_v"), facts.number("voltage_high_v")


def _is_trusted(facts: Facts) -> BoolArray:
    """(n,) whether there is an interval, and the model is in its domain, so that the interval holds."""
    _, low, high = _interval(facts)
    trusted: BoolArray = facts.is_true("in_domain") & ~np.isnan(low) & ~np.isnan(high)
    return trusted


def _voltage(facts: Facts, thresholds: Thresholds) -> States:
    voltage, _, high = _interval(facts)
    return states((voltage > thresholds.voltage_v) & _is_trusted(facts), high <= thresholds.voltage_v)


def _predicted_words(row: Row) -> str:
    voltage = QUANTITIES["voltage_v"]
    between = voltage.between(row.get("voltage_low_v"), row.get("voltage_high_v"))
    return f"{voltage.text(row.get('voltage_v'))} ({f'90 %: {between}' if between else 'error not known'})"


def _voltage_words(row: Row, state: int, thresholds: Thresholds) -> str:
    if is_missing(row.get("voltage_v")):
        return "no predicted voltage"
    asked = f", {_text('voltage_v', thresholds.voltage_v)} asked for"
    return f"predicted {_predicted_words(row)}{asked}{_domain_words(row.get('in_domain'))}"


def _domain_words(in_domain: Any) -> str:
    if is_missing(in_domain):
        return ", not known whether in the model's domain"
    return "" if in_domain else ", out of the model's domain"


def _agreement(facts: Facts, thresholds: Thresholds) -> States:
    off = np.abs(facts.number("voltage_v") - facts.number("relaxed_voltage_v"))
    allowed = _HALF_WIDTH * np.sqrt(facts.number("voltage_std_v") ** 2 + RELAXED_SPREAD_V**2)
    return states(off <= allowed, off > allowed)


def _agreement_words(row: Row, state: int, thresholds: Thresholds) -> str:
    relaxed, voltage = _number(row, "relaxed_voltage_v"), _number(row, "voltage_v")
    if relaxed is None and _word(row, "framework") == "not converged":
        return "no relaxed voltage: relaxation had not settled"
    if relaxed is None:
        return "no relaxed voltage yet"
    if voltage is None:
        return f"relaxed voltage {_text('voltage_v', relaxed)}, no prediction to hold it against"
    off = _text("voltage_v", abs(relaxed - voltage))
    known = {FOR: "within their errors", AGAINST: "more than their errors"}
    how = known.get(state, "whose error is not known")
    return f"relaxed voltage {_text('voltage_v', relaxed)}, {off} off the prediction, {how}"


def _electrolyte(facts: Facts, thresholds: Thresholds) -> States:
    _, low, high = _interval(facts)
    magnesium = facts.is_text("working_ion", "Mg") | ("working_ion" not in facts.frame)
    within = (high <= ELECTROLYTE_V) & _is_trusted(facts)
    return states(magnesium & within, magnesium & (low > ELECTROLYTE_V))


def _electrolyte_words(row: Row, state: int, thresholds: Thresholds) -> str:
    ion = _word(row, "working_ion") if "working_ion" in row else "Mg"
    if ion != "Mg":
        return f"no limit is kept here for electrolytes of {ion}" if ion else "working ion not known"
    if is_missing(row.get("voltage_v")):
        return "no predicted voltage"
    limit = f"the {ELECTROLYTE_V:g} V that a magnesium electrolyte withstands"
    if state in (FOR, AGAINST):
        return f"{_text('voltage_v', row['voltage_v'])} is {'within' if state == FOR else 'beyond'} {limit}"
    high = _number(row, "voltage_high_v")
    how = "perhaps beyond" if high is not None and high > ELECTROLYTE_V else "not surely within"
    return f"{_predicted_words(row)} is {how} {limit}{_domain_words(row.get('in_domain'))}"


def _host(facts: Facts, thresholds: Thresholds) -> States:
    return states(facts.is_text("framework", "topotactic"), facts.is_text("framework", "collapsed"))


def _host_words(row: Row, state: int, thresholds: Thresholds) -> str:
    framework = _word(row, "framework")
    if not framework:
        return "host not relaxed yet"
    if framework == "not converged":
        return "host had not settled when relaxation stopped: whether it survives charging is not known"
    change, move = _number(row, "volume_change"), _number(row, "largest_move_a")
    detail = [
        "" if change is None else f"volume {change:+.1%}",
        "" if move is None else f"a host atom moves {move:.2f} Å",
    ]
    told = ", ".join(it for it in detail if it)
    asked = ", whether it comes back is not known" if framework == "distorted" else ""
    return f"host {framework}" + (f": {told}" if told else "") + asked


def _below(value: Any, std: Any, limit: float) -> States:
    """Without its error (NaN) a value is neither below nor above."""
    return states(value + std <= limit, value - std > limit)


def _charged(facts: Facts, thresholds: Thresholds) -> States:
    name = "charged_e_above_hull"
    return _below(
        facts.number(f"{name}_ev_per_atom"), facts.number(f"{name}_std_ev_per_atom"), CHARGED_HULL_EV_PER_ATOM
    )


def _hull_words(value: Any, std: Any, limit: float, state: int, *, is_stated: bool = False) -> str:
    error = "" if is_stated else " (error not known)" if is_missing(std) else f" ± {float(std):.3f}"
    if round(float(value), 3) < 0.0:
        return f"{-float(value):.3f}{error} eV/atom below the hull of known phases"
    is_close = state == UNKNOWN and not is_missing(std)
    allowed = f"too near the {limit:g} allowed to tell" if is_close else f"up to {limit:g} allowed"
    return f"{abs(float(value)):.3f}{error} eV/atom above the hull, {allowed}"


def _charged_words(row: Row, state: int, thresholds: Thresholds) -> str:
    value = row.get("charged_e_above_hull_ev_per_atom")
    if is_missing(value):
        return "stability of the charged end not known"
    std = row.get("charged_e_above_hull_std_ev_per_atom")
    return f"charged end {_hull_words(value, std, CHARGED_HULL_EV_PER_ATOM, state)}"


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


def _insertion(facts: Facts, thresholds: Thresholds) -> States:
    redox = facts.number("relaxed_redox_voltage_v")
    relaxed = np.where(np.isnan(redox), facts.number("relaxed_voltage_v"), redox)
    margin = relaxed - facts.number("conversion_voltage_v")
    return states(margin > RELAXED_SPREAD_V, margin < -RELAXED_SPREAD_V)


def _insertion_words(row: Row, state: int, thresholds: Thresholds) -> str:
    redox, conversion = _number(row, "relaxed_redox_voltage_v"), _number(row, "conversion_voltage_v")
    relaxed = _number(row, "relaxed_voltage_v") if redox is None else redox
    if conversion is None:
        return "conversion voltage not known"
    if relaxed is None:
        return f"no relaxed voltage to hold against conversion at {_text('voltage_v', conversion)}"
    part = "" if redox is None else " as far as the redox metals pay"
    order = {FOR: "above", AGAINST: "below"}.get(state, "within the error of")
    conversion_words = f"{order} conversion at {_text('voltage_v', conversion)}"
    return f"inserts at {_text('voltage_v', relaxed)}{part}, {conversion_words}"


def _elements(facts: Facts, thresholds: Thresholds) -> States:
    return states(facts.elements_known & ~facts.is_shunned, facts.is_shunned)


def _elements_words(row: Row, state: int, thresholds: Thresholds) -> str:
    elements = _elements_of(row)
    if not elements:
        return "elements not known"
    radioactive, rare = shunned(elements)
    found = [
        f"{' and '.join(radioactive)} radioactive" if radioactive else "",
        f"{' and '.join(rare)} rare" if rare else "",
    ]
    return ", ".join(it for it in found if it) or "no radioactive or rare element"


def _dynamics(facts: Facts, thresholds: Thresholds) -> States:
    limit = _sigma_limit(thresholds)
    melted = facts.is_text("sigma_verdict", "framework melted")
    sigma, high = facts.number("sigma_ms_per_cm"), facts.number("sigma_high_ms_per_cm")
    return states(sigma > limit, melted | (high <= limit))


def _sigma_limit(thresholds: Thresholds) -> float:
    """What is asked for, or the paper's limit: a host that was found slow is slow whether one asks or not."""
    asked = thresholds.sigma_ms_per_cm
    return PAPER_SIGMA_MS_PER_CM if asked is None else asked


def _dynamics_words(row: Row, state: int, thresholds: Thresholds) -> str:
    verdict, at = _word(row, "sigma_verdict"), row.get("sigma_temperature_k")
    where = "" if is_missing(at) else f" at {_text('sigma_temperature_k', at)}"
    if verdict == "framework melted":
        conducts = _conducts_words(row, "", thresholds)
        return f"the framework melts{where}" + (f", and {conducts}" if conducts else "")
    told = f"{verdict}{where}" if verdict else "not simulated"
    return _conducts_words(row, where, thresholds) or told


def _polymorph_hint(row: Row) -> str:
    melted = _word(row, "melted_polymorph")
    return f"its polymorph {melted} melts in molecular dynamics" if melted else ""


def _conducts_words(row: Row, where: str, thresholds: Thresholds) -> str:
    if (sigma := _number(row, "sigma_ms_per_cm")) is not None:
        value = significant(sigma)
    elif (high := _number(row, "sigma_high_ms_per_cm")) is not None:
        value = f"less than {significant(high)}"
    else:
        return ""
    limit = significant(_sigma_limit(thresholds))
    asked = f"the paper asks for {limit}" if thresholds.sigma_ms_per_cm is None else f"{limit} asked for"
    return f"conducts {value} mS/cm{where}, {asked}"


RULES: Final = (
    Rule(key="redox", title="Redox-active", judge=_redox, words=_redox_words),
    Rule(key="capacity", title="Capacity from redox", judge=_capacity, words=_capacity_words),
    Rule(key="voltage", title="Voltage", judge=_voltage, words=_voltage_words),
    Rule(key="agreement", title="Second opinion on the voltage", judge=_agreement, words=_agreement_words),
    Rule(key="electrolyte", title="Within an electrolyte's window", judge=_electrolyte, words=_electrolyte_words),
    Rule(key="host", title="Host survives", judge=_host, words=_host_words),
    Rule(key="charged", title="Charged end is stable enough", judge=_charged, words=_charged_words),
    Rule(key="discharged", title="Can be made", judge=_discharged, words=_discharged_words),
    Rule(key="insertion", title="Insertion before conversion", judge=_insertion, words=_insertion_words),
    Rule(key="elements", title="No radioactive or rare element", judge=_elements, words=_elements_words),
    Rule(key="dynamics", title="Ions move in a solid host", judge=_dynamics, words=_dynamics_words, needed=False,
         hint=_polymorph_hint),
)  # fmt: skip
"""All criteria, in the order in which they are read. The first is hard: against it, nothing is a cathode."""
