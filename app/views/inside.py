"""Inside the model: what networks learned of chemistry from structures and voltages alone (paper Fig. 5)."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from app import theme
from app.components.inside_figures import atom_figure, electrode_figure, element_figure
from app.components.tables import draw_facts
from app.components.trouble import guarded
from app.theme import safe
from core.errors import ExplorerError
from core.service.accuracy import shipped_card
from core.service.embeddings import RANDOM, SHIPPED, AtomMap, InsideMaps, maps_file, read_maps

_CONFIG: Final = {"displaylogo": False, "displayModeBar": False, "scrollZoom": True}
_PROJECTIONS: Final = {"tsne": "t-SNE", "pca": "Principal components"}


@st.cache_data(show_spinner=False, max_entries=4)
def _maps(name: str, _folder: str, modified_ns: int) -> InsideMaps:
    return read_maps(name)


def maps(name: str) -> InsideMaps:
    """Return the maps of a network, read again when the file changes."""
    path = maps_file(name)
    return _maps(name, str(path.parent), path.stat().st_mtime_ns) if path.is_file() else read_maps(name)


def random_section() -> None:
    """Draw elements and atoms of the network that was told nothing of chemistry."""
    st.subheader("A network that was told nothing of chemistry", anchor=False)
    shown = maps(RANDOM)
    card = shown.card
    st.markdown(
        f"Here each element is {card['element_bits']} random bits, so the network cannot know that chlorine is like "
        "bromine. It learned voltages from structures all the same, with a mean absolute error of "
        f"**{card['test_mae_v']:.2f} V** on held-out electrodes. Did it find chemistry by itself?"
    )
    elements, atoms = shown.atoms["elements"], shown.atoms["atoms"]
    left, right = st.container(key="stacking-random").columns(2, gap="large")
    with left:
        st.markdown("**What goes in: element vectors**")
        st.caption(
            f"Embedded to {card['features']} numbers, first two principal components. {_agreement(elements)}"
        )
        st.plotly_chart(
            element_figure(elements, theme.palette()), config=_CONFIG, key="elements_plot",
            alt="Element vectors of the network on random bits, principal components",
        )  # fmt: skip
    with right:
        st.markdown("**What comes out: atoms after the third convolution**")
        st.caption(f"{len(atoms.symbols):,} atomic environments by t-SNE. {_agreement(atoms)}")
        st.plotly_chart(
            atom_figure(atoms, theme.palette()), config=_CONFIG, key="atoms_plot",
            alt="Atom vectors after the third convolution, t-SNE, coloured by element class",
        )  # fmt: skip


def _agreement(atoms: AtomMap) -> str:
    return (
        f"Nearest neighbours of another element are of the same class in **{atoms.agreement:.0%}** of cases (blind "
        f"chance: {atoms.chance:.0%}); those of a working ion are themselves working ions in "
        f"**{atoms.ion_agreement:.0%}** (chance: {atoms.ion_chance:.0%})."
    )


def shipped_section() -> None:
    """Draw the electrodes as the shipped model sees them, and the atoms that its potential tells apart."""
    shown = maps(SHIPPED)
    card = shown.card
    st.subheader(f"A shipped model, {safe(card['model'])}", anchor=False)
    current = shipped_card(card["model"])
    if current.sha256 != card["model_sha256"]:
        st.warning(
            f"These maps are of {safe(card['model'])} {card['model_sha256'][:12]}, which has been trained anew since: "
            f"{current.sha256[:12]}. Make them again: `{card['command']} --only shipped`.",
            icon=":material/update:",
        )
    electrodes = shown.electrodes["electrodes"]
    st.markdown(
        f"Each point is one of {len(electrodes.formulas):,} labelled electrodes, by the {card['vector_length']} "
        "numbers from which the model reads off the voltage. Similar electrodes lie near each other; this is the space "
        "in which the nearest labelled electrodes of a candidate are sought."
    )
    projection = st.segmented_control(
        "Projection", list(_PROJECTIONS), default="tsne", required=True, key="projection",
        format_func=_PROJECTIONS.__getitem__,
    ) or "tsne"  # fmt: skip
    for column, by, title in zip(
        st.container(key="stacking-electrodes").columns(2, gap="large"),
        ("ion", "voltage"),
        ("Working ion", "Voltage"),
        strict=True,
    ):
        with column:
            st.markdown(f"**{title}**")
            st.plotly_chart(
                electrode_figure(electrodes, projection, by, theme.palette()), config=_CONFIG, key=f"electrodes_{by}",
                alt=f"Learned vectors of the labelled electrodes, coloured by {title.lower()}",
            )  # fmt: skip
    if "sevennet" in shown.atoms:
        _sevennet(shown.atoms["sevennet"], card)


def _sevennet(atoms: AtomMap, card: Mapping[str, Any]) -> None:
    st.subheader("The atoms as SevenNet-0 sees them", anchor=False)
    left, right = st.container(key="stacking-sevennet").columns([1.6, 1], gap="large")
    left.plotly_chart(
        atom_figure(atoms, theme.palette()), config=_CONFIG, key="sevennet_plot",
        alt="Atom vectors of SevenNet-0, t-SNE, coloured by element class",
    )  # fmt: skip
    right.markdown(
        f"{len(atoms.symbols):,} atomic environments in {card['n_structures']:,} discharged electrodes, by the 128 "
        "numbers that the potential holds of each atom before it reads off the energy. It was trained on energies, "
        "forces and stresses of many more compounds, and never on a voltage.\n\n"
        + _agreement(atoms)
        + "\n\nThe model averages these numbers over the working ions and over the host, before and after the ions "
        "leave. Circled atoms are working ions of their electrode; an uncircled point of the same element is part of a "
        "host."
    )


def made_section() -> None:
    """Say how the maps were made."""
    try:
        random, shipped = maps(RANDOM).card, maps(SHIPPED).card
    except ExplorerError:
        return  # the section whose maps are missing has said so
    with st.expander("How these maps were made"):
        draw_facts(
            {
                "Command": random["command"],
                "Random-bit network": f"{random['epochs']} epochs, seed {random['seed']}, trained on eight folds of "
                f"ten, MAE {random['test_mae_v']:.3f} V on one that it never saw",
                "Points": "every element the same number of distinct environments, as far as it has them, by seed",
                "t-SNE": "keeps neighbourhoods alone: sizes of clusters and distances between far ones mean nothing",
                "Agreement": "ten nearest neighbours in the full space (five for elements), not on the map",
                "Packages": ", ".join(
                    f"{name} {version}"
                    for name, version in (random["versions"] | shipped["versions"]).items()
                ),
                "Created": f"{random['created']}, {shipped['created']}",
            }
        )


def page() -> None:
    """Draw the page."""
    theme.page_header(
        "Inside the model", "What the networks learned of chemistry, after the paper's Figure 5."
    )
    guarded(random_section)()
    guarded(shipped_section)()
    made_section()


page()
