"""The Screen page's link: what is written is read back, and nothing in a hostile one gets through."""

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from app.components.elements import POSITION
from app.link import parse_query, read_query
from app.query import (
    CAPACITY_RANGE_AH_PER_L,
    HULL_RANGE_EV_PER_ATOM,
    VOLTAGE_RANGE_V,
    ScreenQuery,
)
from core.service.screen import Weights

elements = st.lists(st.sampled_from(sorted(POSITION)), max_size=6, unique=True)


def steps(limits: tuple[float, float], step: float) -> st.SearchStrategy[float]:
    return st.integers(0, round((limits[1] - limits[0]) / step)).map(lambda n: round(limits[0] + n * step, 6))


queries = st.builds(
    lambda v, q, some, others, hull, flags, text: ScreenQuery(
        voltage_v=v,
        capacity_vol_ah_per_l=q,
        required=tuple(sorted(some)),
        forbidden=tuple(sorted(set(others) - set(some))),
        sources=("GNoME(Energy-GNoME)", "MP(3DSC)") if flags[0] else (),
        max_hull_ev_per_atom=hull,
        known_hull_only=flags[0],
        in_domain_only=flags[1],
        pareto=flags[2],
        definition="paper" if flags[0] else "cathode",
        verdicts=("make next",) if flags[1] else ("open", "doubtful", "no cathode"),
        non_toxic_only=flags[2],
        max_price_usd_per_kg=hull and round(100.0 * hull, 3),
        text=text,
        voltage_max_v=v + 1.0 if v < 6.0 and flags[0] else None,
        polymorphs=flags[1],
        novelties=("known", "new") if flags[2] else (),
        weights=Weights(price=q / 500.0, barrier=2.0) if flags[2] else Weights(),
        x="energy_vol_wh_per_l" if flags[0] else "",
        colour="barrier_ev" if flags[1] else "",
        shortlist=("mp-1", "gnome-2") if flags[2] else (),
        welcome=flags[0],
        selected="mp-32006" if flags[1] else None,
    ),
    steps(VOLTAGE_RANGE_V, 0.05),
    steps(CAPACITY_RANGE_AH_PER_L, 10.0),
    elements,
    elements,
    st.none() | steps(HULL_RANGE_EV_PER_ATOM, 0.001),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=20),
)


@given(queries)
def test_link_carries_the_whole_state(query: ScreenQuery) -> None:
    url = query.to_url("http://host/base?old=1")
    params = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    assert url.startswith("http://host/base/?") and {"v", "q"} <= params.keys() and "old" not in params
    assert read_query(params) == (query, ())


@given(st.dictionaries(st.sampled_from([*"vqs", "with", "without", "source", "hull", "id"]), st.text()))
def test_any_text_in_a_link_gives_a_sound_state(params: dict[str, str]) -> None:
    query = parse_query(params, sources=["A", "B"])
    assert VOLTAGE_RANGE_V[0] <= query.voltage_v <= VOLTAGE_RANGE_V[1]
    assert set(query.required) | set(query.forbidden) <= set(POSITION)
    assert set(query.sources) <= {"A", "B"}


def test_hostile_link_falls_back_to_defaults() -> None:
    hostile = "<script>alert(1)</script>' OR 1=1; DROP TABLE candidates; --"
    names = (
        "v",
        "q",
        "s",
        "with",
        "without",
        "source",
        "redox",
        "hull",
        "id",
        "domain",
        "front",
        "all",
        "by",
        "verdict",
        "price",
        "nontoxic",
    )
    assert parse_query(dict.fromkeys(names, hostile), sources=["A"]) == ScreenQuery()
    assert parse_query({"v": "nan", "q": "inf", "s": "-1", "hull": "1e9"}) == ScreenQuery()
    query, faults = read_query(dict.fromkeys(names, hostile), sources=["A"])
    assert query == ScreenQuery() and len(faults) == len(names) and all(len(it) < 600 for it in faults)


def test_an_element_cannot_be_asked_for_and_forbidden() -> None:
    query = parse_query({"with": "Mn,O", "without": "O,F"})
    assert query.required == ("Mn", "O") and query.forbidden == ("F",)


def test_an_old_link_looks_for_cathodes_and_a_verdict_is_kept_in_order() -> None:
    assert parse_query({"v": "2.5"}).definition == "cathode"
    assert parse_query({"verdict": "doubtful,make next,rubbish"}).verdicts == ("make next", "doubtful")
    assert parse_query({"by": "paper", "verdict": "doubtful"}).filter_count == 0
    assert parse_query({"verdict": "doubtful", "price": "50", "nontoxic": "1"}).filter_count == 3


def test_clearing_filters_keeps_thresholds_and_selection() -> None:
    query = parse_query({"v": "2", "with": "Mn", "find": "x", "id": "mp-1", "front": "1"})
    assert query.filter_count == 2
    cleared = query.without_filters()
    assert cleared.filter_count == 0
    assert (cleared.voltage_v, cleared.selected, cleared.pareto) == (2.0, "mp-1", True)
