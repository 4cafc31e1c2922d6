"""The controls of the Screen page: each writes one field of the page's `ScreenQuery` and is drawn from it.

`st.session_state["screen"]` is the one truth; widgets are set from it before they are drawn, so that a slider and a
number input of the same field, a link, and the Clear button always agree.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from app import state
from app.components.periodic_table import periodic_table, read_choice
from app.components.text import source_label
from app.link import parse_query
from app.query import (
    BARRIER_RANGE_EV,
    CAPACITY_RANGE_AH_PER_L,
    HULL_RANGE_EV_PER_ATOM,
    MAX_SHORTLISTED,
    PRICE_RANGE_USD_PER_KG,
    SIGMA_RANGE_MS_PER_CM,
    VOLTAGE_RANGE_V,
    ScreenQuery,
)
from core.quantities import QUANTITIES
from core.service.release import Facets
from core.service.screen import NOVELTIES, RARE, SOLD_AS_SALTS, TOXIC, VERDICTS, WANTED

_STATE: Final = "screen"
_REVISION: Final = "screen_revision"
_TABLE: Final = "screen_periodic_table"
_NUMBER_PX: Final = 84


def current() -> ScreenQuery:
    """Return the state of this browser tab's Screen page; a new tab's is that of the address it was opened with.

    So the Candidate page, opened by a link in a new tab, judges by the limits of the page that it was opened from.
    """
    if _STATE not in st.session_state:
        st.session_state[_STATE] = parse_query(state.browser_query())
    query: ScreenQuery = st.session_state[_STATE]
    return query


def adopt(query: ScreenQuery) -> None:
    """Make `query` the state, as after opening a link; the periodic table is redrawn from it."""
    st.session_state[_STATE] = query
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def change(**fields: Any) -> None:
    """Change single fields of the state."""
    st.session_state[_STATE] = replace(current(), **fields)


def put_aside(ids: Sequence[str]) -> None:
    """Put candidates on the shortlist, as many as a link can carry."""
    kept = tuple(dict.fromkeys([*current().shortlist, *ids]))
    change(shortlist=kept[:MAX_SHORTLISTED])
    if len(kept) > MAX_SHORTLISTED:
        st.toast(
            f"The shortlist holds {MAX_SHORTLISTED} at most; {len(kept) - MAX_SHORTLISTED} did not fit.",
            icon=":material/playlist_remove:",
        )


def take_off(ids: Collection[str]) -> None:
    """Take candidates off the shortlist."""
    change(shortlist=tuple(it for it in current().shortlist if it not in ids))


def threshold(
    field: str,
    *,
    limits: tuple[float, float],
    step: float,
    format: str,
    unavailable: str | None = None,
    note: str | None = None,
    label: str | None = None,
    side: str = "above",
) -> None:
    """Draw a slider and a number input for the threshold of one quantity; `unavailable` switches both off and says why.

    `note` explains what the threshold does where that is not plain; `label` names it where the quantity's does not;
    `side`: where values must lie.
    """
    quantity = QUANTITIES[field]
    value = min(max(float(getattr(current(), field)), limits[0]), limits[1])
    slider, number = f"{field}_slider", f"{field}_number"
    shared: dict[str, Any] = {
        "min_value": limits[0],
        "max_value": limits[1],
        "step": step,
        "format": format,
        "disabled": unavailable is not None,
        "label_visibility": "collapsed",
        "on_change": copy_field,
    }
    st.markdown(
        f"**{label or quantity.short}** "
        + (":gray[none yet]" if unavailable else f"{side}, {quantity.unit}"),
        help=unavailable or note,
    )
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="medium"):
        put(slider, value)
        st.slider(quantity.head, key=slider, args=(slider, field), **shared)
        put(number, value)
        st.number_input(
            f"{quantity.head}, typed", key=number, args=(number, field), width=_NUMBER_PX, **shared
        )


_DEFINITIONS: Final = {"cathode": "cathodes", "paper": "the paper's definition"}


def definition() -> None:
    """Draw the switch between cathodes and what the paper's definition lets pass."""
    put("definition_choice", current().definition)
    st.segmented_control(
        "Look for",
        list(_DEFINITIONS),
        key="definition_choice",
        format_func=_DEFINITIONS.__getitem__,
        required=True,
        on_change=copy_field,
        args=("definition_choice", "definition"),
        help="Cathodes: the capacity that the redox metals can pay for counts, and a verdict is asked for. The paper's "
        "definition: the capacity of all magnesium counts, whatever pays for it.",
    )


def thresholds(facets: Facets) -> None:
    """Draw the four thresholds, two beside each other where four do not fit."""
    unavailable = None if facets.n_conductivities else NO_CONDUCTIVITY
    voltage, capacity, barrier, sigma = st.container(key="thresholds").columns(4, gap="medium")
    with voltage:
        threshold("voltage_v", limits=VOLTAGE_RANGE_V, step=0.05, format="%.2f")
    with capacity:
        threshold(
            "capacity_vol_ah_per_l", limits=CAPACITY_RANGE_AH_PER_L, step=10.0, format="%.0f",
            label="Redox-limited capacity" if current().definition == "cathode" else None,
            note=REDOX_NOTE if current().definition == "cathode" else None,
        )  # fmt: skip
    with barrier:
        threshold(
            "barrier_ev", limits=BARRIER_RANGE_EV, step=0.05, format="%.2f", note=BARRIER_NOTE, side="below",
            unavailable=None if facets.n_barriers else NO_BARRIER,
        )  # fmt: skip
    with sigma:
        threshold(
            "sigma_ms_per_cm", limits=SIGMA_RANGE_MS_PER_CM, step=5.0, format="%.0f", unavailable=unavailable,
            note=CONDUCTIVITY_NOTE, label="Conductivity at 1200 K",
        )  # fmt: skip


REDOX_NOTE: Final = (
    "What the metals' highest common oxidation states pay for. Magnesium beyond that cannot leave without the host "
    "coming apart."
)
NO_BARRIER: Final = (
    "This release holds no migration barrier. One is worked out on a candidate's page, many by "
    "`python -m core barrier campaign`."
)
BARRIER_NOTE: Final = (
    "How high an ion must climb to get through the host, at zero temperature. At 2 eV it asks nothing; below, a "
    "candidate passes if its barrier and error lie below the limit. What is undecided or untested does not pass, "
    "and is counted beneath. 0.65 eV is what a particle of 0.1 µm allows."
)
NO_CONDUCTIVITY: Final = (
    "This release holds no ionic conductivity: it comes from molecular dynamics, which can be started on any "
    "candidate's page. The threshold switches on by itself once the first result is merged into the database."
)
CONDUCTIVITY_NOTE: Final = (
    "From molecular dynamics at 1200 K, and known for few candidates. At 0 it asks nothing; above 0, a candidate "
    "passes if its whole 90 % interval lies above the limit. What is undecided (an interval on both sides, an upper "
    "limit above it, a framework that melted) or untested does not pass, and is counted beneath. More can be computed "
    "on a candidate's page."
)


def filters(facets: Facets) -> None:
    """Draw every filter that is not a threshold: the periodic table on the left, the rest on the right."""
    query = current()
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        st.markdown("**Elements**")
        periodic_table(
            facets.elements, total=facets.n_candidates, required=query.required, forbidden=query.forbidden,
            revision=st.session_state.get(_REVISION, 0), key=_TABLE, on_change=_elements_changed,
        )  # fmt: skip
        with st.container(horizontal=True, gap="medium"):
            _switch(
                "In domain only", "in_domain_only", "Keep candidates that resemble the labelled electrodes."
            )
            _switch("With an anion", "with_anion_only", "Leave out intermetallics, which hold no anion.")
            _switch(
                "Known hull energy only",
                "known_hull_only",
                "Leave out candidates of unpublished hull energy.",
            )
            _switch(
                "Nothing toxic",
                "non_toxic_only",
                f"Leave out {', '.join(sorted(TOXIC))}: class 1 of ICH guideline Q3D on elemental impurities, and "
                "thallium. Cobalt, nickel and vanadium (class 2A) stay.",
            )
    with right:
        _text_filter(query)
        _verdict_filter(query)
        _novelty_filter(query)
        _choice("Source", "sources", list(facets.sources), "any source", facets.sources)
        _choice(
            "Redox metal, at least one of",
            "redox_metals",
            list(facets.redox_metals),
            "any",
            facets.redox_metals,
        )
        _window_filter(query)
        _hull_filter(query)
        _price_filter(query)
        st.button(
            "Clear filters",
            icon=":material/filter_alt_off:",
            on_click=_clear,
            disabled=query.filter_count == 0,
        )


def _text_filter(query: ScreenQuery) -> None:
    put("text_input", query.text)
    st.text_input(
        "Formula or id contains", key="text_input", max_chars=80, placeholder="MgMn2O4 or mp-32006",
        on_change=copy_field, args=("text_input", "text"),
    )  # fmt: skip


def _choice(label: str, field: str, options: list[str], placeholder: str, counts: Mapping[str, int]) -> None:
    key = f"{field}_choice"
    put(key, [item for item in getattr(current(), field) if item in options])
    st.multiselect(
        label, options, key=key, placeholder=placeholder, on_change=copy_field, args=(key, field, _as_tuple),
        format_func=lambda item: f"{source_label(item)} ({counts[item]:,})",
    )  # fmt: skip


def _novelty_filter(query: ScreenQuery) -> None:
    put("novelties_choice", list(query.novelties))
    st.multiselect(
        QUANTITIES["novelty"].label, NOVELTIES, key="novelties_choice", placeholder="any", format_func=str.capitalize,
        on_change=copy_field, args=("novelties_choice", "novelties", _as_tuple), help=QUANTITIES["novelty"].help,
    )  # fmt: skip


def _window_filter(query: ScreenQuery) -> None:
    put("window_number", query.voltage_max_v)
    st.number_input(
        "Voltage below (V)", *VOLTAGE_RANGE_V, key="window_number", value=None, step=0.1, format="%.2f",
        placeholder="no upper end", on_change=copy_field, args=("window_number", "voltage_max_v"),
        help="The upper end of the electrolyte's window. Probability, score and verdict count it.",
    )  # fmt: skip


def _hull_filter(query: ScreenQuery) -> None:
    put("hull_number", query.max_hull_ev_per_atom)
    st.number_input(
        "Energy above hull at most (eV/atom)", *HULL_RANGE_EV_PER_ATOM, key="hull_number", value=None, step=0.01,
        format="%.3f", placeholder="no limit", on_change=copy_field, args=("hull_number", "max_hull_ev_per_atom"),
        help="0 is stable. Many candidates have no published hull energy; a switch leaves those out.",
    )  # fmt: skip


def _verdict_filter(query: ScreenQuery) -> None:
    put("verdicts_choice", list(query.verdicts))
    st.multiselect(
        "Verdict", VERDICTS, key="verdicts_choice", on_change=copy_field,
        args=("verdicts_choice", "verdicts", _as_verdicts),
        disabled=query.definition == "paper", format_func=str.capitalize,
        help=f"{QUANTITIES['verdict'].help} Radioactive elements and {', '.join(sorted(RARE))}, the rarest metals of "
        "the crust (U.S. Geological Survey Fact Sheet 087-02), count against. The paper's definition asks for none.",
    )  # fmt: skip


def _price_filter(query: ScreenQuery) -> None:
    put("price_number", query.max_price_usd_per_kg)
    st.number_input(
        "Price of the elements at most (USD/kg)", *PRICE_RANGE_USD_PER_KG, key="price_number", value=None, step=5.0,
        format="%.0f", placeholder="no limit", on_change=copy_field, args=("price_number", "max_price_usd_per_kg"),
        help="Pure elements by mass, an order of magnitude: pymatgen's table of 2013 to 2020. Compounds of "
        f"{', '.join(sorted(SOLD_AS_SALTS))}, which are bought as salts, have no price here and do not pass a limit.",
    )  # fmt: skip


def _switch(label: str, field: str, help: str) -> None:
    put(f"{field}_switch", bool(getattr(current(), field)))
    st.toggle(label, key=f"{field}_switch", help=help, on_change=copy_field, args=(f"{field}_switch", field))


def display_switches() -> None:
    """Draw the switches that choose what plot and table show of the filtered candidates."""
    with st.container(horizontal=True, gap="medium"):
        _switch(
            "Pareto front", "pareto", "Mark candidates that no other beats in every figure; list only those."
        )
        _switch(
            "List those that fail too",
            "show_all",
            "List every candidate after the filters, not only passing ones.",
        )
        _switch("Every polymorph", "polymorphs", "List all of a formula, not only the best one.")


def put(key: str, value: Any) -> None:
    """Set a widget from the state before it is drawn."""
    if st.session_state.get(key, _UNSET) != value:
        st.session_state[key] = value


_UNSET: Final = object()


def _as_verdicts(value: list[str]) -> tuple[str, ...]:
    """The chosen verdicts, best first; none chosen is the default."""
    return tuple(verdict for verdict in VERDICTS if verdict in value) or WANTED


def _as_tuple(value: list[str]) -> tuple[str, ...]:
    return tuple(sorted(value))


def copy_field(key: str, field: str, convert: Callable[[Any], Any] | None = None) -> None:
    """Take what a widget was set to into a field of the state."""
    value = st.session_state[key]
    change(**{field: convert(value) if convert else value})


def _elements_changed() -> None:
    required, forbidden = read_choice(st.session_state.get(_TABLE))
    change(required=required, forbidden=forbidden)


def _clear() -> None:
    adopt(current().without_filters())
