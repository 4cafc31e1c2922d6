"""Which atoms make a candidate's voltage: computed on demand, drawn in 3D and against the distance to the ions."""

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from app import state
from app.components.structure_viewer import SiteMark, structure_viewer
from app.components.tables import draw_table
from app.components.text import pretty_formula
from app.theme import Palette, figure_layout, palette, safe
from core.drawing.scenes import scene_json
from core.errors import ExplorerError
from core.quantities import QUANTITIES
from core.records import Crystal
from core.service.explain import can_explain, explain, load_backbone

if TYPE_CHECKING:
    from core.service.explain import Contributions, SevenNetBackbone

_RAISES, _NEUTRAL, _LOWERS = (224, 82, 77), (214, 219, 222), (58, 125, 196)
_GREY: Final = "#98a4aa"
_BY_CONTENT: Final[dict[str | type, Any]] = {Crystal: attrgetter("fingerprint")}
_HEIGHT: Final = 440
_GRADIENT: Final = f"linear-gradient(90deg, rgb{_LOWERS}, rgb{_NEUTRAL}, rgb{_RAISES})"


def render_contributions(crystal: Crystal, working_ion: str) -> None:
    """Offer to weigh the atoms of a structure, and show them once asked; refusals are said in place."""
    if not can_explain():
        return
    st.subheader("The atoms behind the voltage", anchor=False)
    st.caption(
        "Predictions start from the voltage of the frozen host, which splits exactly into one share an atom: what "
        f"each {safe(working_ion)} gives up when it leaves, and what each host atom loses when they have left."
    )
    asked = f"contributions-{crystal.fingerprint[:16]}-{working_ion}"
    if not st.session_state.get(asked):
        st.button(
            "Which atoms make this voltage", icon=":material/balance:", key=f"button-{asked}",
            on_click=st.session_state.__setitem__, args=(asked, True),
            help="Runs the potential SevenNet-0 twice on this structure, some seconds.",
        )  # fmt: skip
        return
    try:
        shares = _contributions(crystal, working_ion, state.voltage_model("fast").sha256)
    except ExplorerError as error:
        st.warning(safe(error), icon=":material/info:")
        return
    _show(crystal, shares)


@st.cache_resource(show_spinner=False)
def _backbone() -> "SevenNetBackbone":
    return load_backbone()


@st.cache_data(show_spinner="Weighing the atoms with SevenNet-0 …", max_entries=256, hash_funcs=_BY_CONTENT)
def _contributions(crystal: Crystal, working_ion: str, _model_sha256: str) -> "Contributions":
    return explain(state.voltage_model("fast"), crystal, working_ion, _backbone())


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=_BY_CONTENT)
def _plain_scene(crystal: Crystal) -> dict[str, Any]:
    """The structure with grey bonds and no polyhedra, so that colour says nothing but the atoms' shares."""
    scene = scene_json(crystal)
    grey = {element: look | {"color": _GREY} for element, look in scene["elements"].items()}
    return scene | {"elements": grey, "polyhedra": []}


def _show(crystal: Crystal, shares: "Contributions") -> None:
    left, right = st.container(key="stacking-contributions").columns([3, 2], gap="large")
    with left:
        structure_viewer(
            _plain_scene(crystal),
            key="contributions",
            height=_HEIGHT,
            working_ion=shares.working_ion,
            highlight=marks(shares),
        )
        _legend(shares)
    with right:
        st.markdown(
            f"SevenNet-0 on the frozen host: **{shares.voltage_v:.2f} V** for "
            f"{safe(pretty_formula(crystal.formula))}, the sum of all shares. The networks on top then correct it for "
            "the relaxation of the empty host."
        )
        counts = {element: crystal.count(element) for element in shares.by_element()}
        draw_table(
            ["Element", "Atoms", "Together (V)", "Each, mean (V)"],
            [
                [element, str(counts[element]), f"{share:+.2f}", f"{share / counts[element]:+.3f}"]
                for element, share in shares.by_element().items()
            ],
        )
        st.plotly_chart(
            distance_figure(shares, palette()), config={"displayModeBar": False}, key="contributions_plot",
            alt="Share of each host atom against its distance to the nearest working ion",
        )  # fmt: skip
    st.caption(
        "The split is SevenNet-0's own: a potential may share energy between neighbours in many ways. It explains the "
        "frozen-host part, not the correction."
    )


def marks(shares: "Contributions") -> dict[int, SiteMark]:
    """Return each site's colour, from blue (lowers the voltage) over grey to red (raises it), and its tooltip."""
    largest = _largest(shares)
    return {
        it.site: SiteMark(
            color=_colour(it.contribution_v / largest),
            scale=1.0 + 0.35 * abs(it.contribution_v) / largest,
            label=f"{it.contribution_v:+.3f} V",
        )
        for it in shares.sites
    }


def _largest(shares: "Contributions") -> float:
    return max(abs(it.contribution_v) for it in shares.sites) or 1.0


def _colour(share: float) -> str:
    end, part = (_RAISES, share) if share > 0 else (_LOWERS, -share)
    return "#" + "".join(
        f"{round(middle + part * (value - middle)):02x}" for middle, value in zip(_NEUTRAL, end, strict=True)
    )


def _legend(shares: "Contributions") -> None:
    largest = _largest(shares)
    st.html(
        "<div style='display:flex;align-items:center;gap:0.6rem;font-size:0.85rem'>"
        f"<span>lowers it, −{largest:.2f} V</span>"
        f"<span style='flex:1;height:0.6rem;border-radius:0.3rem;background:{_GRADIENT}'></span>"
        f"<span>raises it, +{largest:.2f} V</span></div>"
    )


def distance_figure(shares: "Contributions", colours: Palette) -> dict[str, Any]:
    """Return each host atom's share against its distance to the nearest working ion, a trace an element."""
    host = [it for it in shares.sites if not it.is_working_ion]
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": element,
            "x": [it.ion_distance_a for it in host if it.element == element],
            "y": [it.contribution_v for it in host if it.element == element],
            "marker": {"size": 9, "opacity": 0.8, "color": colours.sources[place % len(colours.sources)]},
            "hovertemplate": f"{element}: %{{y:+.3f}} V at %{{x:.2f}} Å<extra></extra>",
        }
        for place, element in enumerate(dict.fromkeys(it.element for it in host))
    ]
    layout = figure_layout(
        colours, height=270, hovermode="closest", showlegend=True, margin={"b": 84},
        xaxis={"title": {"text": f"Distance to the nearest {shares.working_ion} (Å)"}},
        yaxis={"title": {"text": QUANTITIES["contribution_v"].axis}, "rangemode": "tozero"},
        legend={"orientation": "h", "x": 0, "y": -0.34, "yanchor": "top"},
    )  # fmt: skip
    return {"data": traces, "layout": layout}
