"""About: how the figures are made, from which data and under which licence, by which model, and what is missing."""

import platform
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import streamlit as st

import core
from app import state, theme
from app.components.columns import column_config
from app.components.hash_scroll import scroll_to_hash
from app.components.tables import Cell, Detailed, draw_facts, draw_table
from app.components.text import source_label
from app.theme import safe
from core.errors import ExplorerError
from core.glossary import GLOSSARY
from core.provenance import package_versions
from core.service.accuracy import ErrorRow
from core.service.potentials import listed_potentials
from core.service.release import Release
from core.settings import resolve_device

_PACKAGES: Final = (
    "streamlit",
    "plotly",
    "duckdb",
    "torch",
    "torch-geometric",
    "pymatgen",
    "crystal-toolkit",
    "ase",
)

_ERRORS: Final = (
    "working_ion", "n_electrodes", "mae_v", "low_v", "high_v", "mean_baseline_v", "median_baseline_v", "paper_v",
)  # fmt: skip

METHOD: Final = r"""
The average voltage of a cathode against the metal M of its working ion, which carries the charge $z$ and of which $n$
leave each formula unit on charging, is

$$
V = \frac{E_\mathrm{charged} + n\,E_\mathrm{M} - E_\mathrm{discharged}}{n\,z}
$$

with energies in eV and $V$ in volts. A neural network learns it from the discharged structure alone; formation
energies and capacities never enter. It is trained on the labelled electrodes of ten ions at once, after Chen, Lin,
Zhang, Zhou and Zhang, *AI-driven accelerated discovery of intercalation-type cathode materials for magnesium
batteries* (2024), whose crystal graph network averages the vectors of the working ions only. What the shipped model
is, and how far it is off, stands below. The interval beside each prediction is meant to hold the density-
functional-theory value in 90 of 100 cases.

Capacities follow from the structure: $44505\,n z / V_\mathrm{cell}$ Ah/L with the cell volume in Å³, and
$26801\,n z / M$ mAh/g. Both take all Mg out of the discharged cell. The redox-limited figure beside them takes out only
as much as the metals' highest common oxidation states pay for.

Conductivities come from molecular dynamics of the ion in the structure, with a fifth of the ions taken out at random,
at 1200 K unless said otherwise. The diffusivity $D$ is a sixth of the slope of the mean-square displacement over time,
fitted where that is a straight line; without one the page says so and gives an upper limit or nothing. From it

$$
\sigma = \frac{N z^2 e^2 D}{V k_\mathrm{B} T}
$$

after Nernst and Einstein, for $N$ ions in the volume $V$ that move independently of each other. Intervals are of 90 %
and know of the length of the run, not of the potential's error: for that each run compares some of its own snapshots
with a more accurate potential, its teacher.
"""

SOURCES: Final = """
| what | from | licence |
| --- | --- | --- |
| Mg candidates and labelled electrodes | Materials Project, by way of public repositories | CC BY 4.0 |
| Mg candidates | 3DSC (Materials Project part) | CC BY 4.0 |
| Mg candidates | GNoME, by way of Energy-GNoME | **CC BY-NC 4.0**: no commercial use |

Labels come from density-functional theory (GGA and GGA+U, 2019 to 2022). Each row carries its source, licence and id;
a table that holds GNoME rows may not be used commercially.
"""


KEYBOARD: Final = """
Tab goes from control to control. Arrow keys move a slider, and the cell in a table; Shift and Space select its row. In
the 3D picture arrow keys turn, plus and minus zoom, 0 starts again; in a trajectory Space plays.
"""


def glossary_section() -> None:
    """List the terms, each with an address of its own, and the keys."""
    st.subheader("Glossary", anchor="glossary")
    half = (len(GLOSSARY) + 1) // 2
    columns = st.container(key="stacking-glossary").columns(2, gap="large")
    for column, terms in zip(columns, (GLOSSARY[:half], GLOSSARY[half:]), strict=True):
        told = (f"#### {it.name}\n{it.meaning} {it.more}" for it in terms)
        column.markdown("\n\n".join(told))
    st.subheader("Keyboard", anchor=False)
    st.markdown(KEYBOARD)


def data_section() -> None:
    """Say where the data comes from, with counts by source and licence."""
    st.subheader("Data and licences", anchor=False)
    st.markdown(SOURCES)
    sources = state.reader().sources()
    st.dataframe(
        sources.assign(
            source=sources["source"].map(lambda source: f"{source_label(source)}: {source}")
        ).rename(columns={"n": "n_candidates"}),
        hide_index=True,
        column_config=column_config(("source", "license", "n_candidates")),
    )


def model_section() -> None:
    """Draw the card of the voltage model: what it is, how far off it is, and the command that makes it."""
    st.subheader("The voltage model", anchor=False)
    try:
        model = state.voltage_model().card
    except ExplorerError as error:
        st.warning(f"The model card cannot be shown. {safe(error)}", icon=":material/warning:")
        return
    st.markdown(safe(model.description))
    facts = {
        "Model": model.name,
        "Kind": model.kind,
        "Labelled electrodes": model.n_labelled,
        "Labels refused": model.n_refused,
        "Seeds": ", ".join(map(str, model.seeds)),
        "Trained": model.created,
        "Weights, SHA-256": model.sha256,
        "Data, SHA-256": model.data_sha256,
        "Made by": model.command,
    }
    _facts(facts)
    for split, rows in model.evaluation.errors.items():
        _errors(str(split), rows, model.evaluation.coverage.get(split))


def _errors(split: str, rows: Sequence[ErrorRow], coverage: float | None) -> None:
    title = {
        "random": "Random split",
        "host": "Unseen hosts: no host formula of the test rows was trained on",
    }
    st.markdown(f"**{safe(title.get(split, split))}**")
    if coverage is not None:
        st.caption(f"The 90 % intervals hold for {coverage:.1%} of these rows.")
    st.dataframe(
        pd.DataFrame([row.to_dict() for row in rows]).rename(columns={"n": "n_electrodes"}),
        hide_index=True,
        placeholder="–",
        height="content",
        column_config=column_config(_ERRORS),
    )


def potentials_section() -> None:
    """List the interatomic potentials that molecular dynamics may use."""
    st.subheader("The potentials of molecular dynamics", anchor=False)
    rows: list[list[Cell]] = []
    for listed in listed_potentials():
        card = listed.card
        if card is None:
            rows.append([listed.name, listed.error, "", "", ""])
            continue
        rows.append(
            [
                listed.name,
                Detailed(text=card.title, detail=card.trained_on),
                f"{len(card.elements)}",
                Detailed(text=_main_errors(card.errors) or "not stated", detail=card.errors_of),
                card.licence,
            ]
        )
    draw_table(["Potential", "What it is", "Elements", "Errors", "Licence"], rows)


def _main_errors(errors: Mapping[str, float]) -> str:
    """Return the broadest figures of a potential's card, those of the shortest names, in words."""
    fewest = min((name.count("_") for name in errors if name.endswith("_ev_per_a")), default=0)
    words = []
    for name, value in errors.items():
        what, ends_so, unit = name.partition("_ev_per_")
        if ends_so and name.count("_") <= fewest:
            words.append(f"{what.replace('_', ' ')} {value:.2g} eV/{'Å' if unit == 'a' else unit}")
    return ", ".join(words)


def limits_section(release: Release) -> None:
    """Say what this build cannot do."""
    st.subheader("What this build cannot do", anchor=False)
    device = resolve_device("auto")
    gpu = (
        "**No GPU was found**: everything runs on the processor, which is enough for voltages and for quick looks at "
        "diffusion, not for the paper's protocol."
        if device == "cpu"
        else f"A GPU was found ({safe(device)})."
    )
    sigma = release.counts["conductivities"]
    dynamics = (
        "**No conductivity in this release**: no molecular dynamics was merged into it yet, so the paper's third "
        "threshold is off. A run can be started on any candidate's page."
        if sigma == 0
        else f"**Few conductivities**: the release holds {sigma:,} results of molecular dynamics. Candidates without "
        "one do not pass the third threshold, whatever they may be."
    )
    st.markdown(
        f"- {gpu}\n- {dynamics}\n"
        "- **No live data**: pages read the shipped release. Fresh data from Materials Project needs your own key and "
        "the command line.\n"
        "- **Stability by a potential**: charged ends, conversion and insertion are judged for the candidates that "
        "were relaxed, by energies of a potential on the known phases; for all others they are not known. Nothing here "
        "says how fast a host decomposes."
    )


def versions_section(release: Release) -> None:
    """List release, hashes and package versions."""
    st.subheader("Versions and provenance", anchor=False)
    counts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in release.counts.items())
    _facts(
        {
            "Explorer": core.__version__,
            "Release": f"{release.version}, schema {release.schema_version}, made {release.created}",
            "Release, SHA-256": release.sha256,
            f"{release.model_name}, SHA-256": release.model_sha256,
            f"{release.accurate_model_name}, SHA-256": release.accurate_model_sha256,
            "Data, SHA-256": release.data_sha256,
            "Holds": counts,
            "Python": platform.python_version(),
            "Packages": ", ".join(
                f"{name} {version}" for name, version in package_versions(_PACKAGES).items()
            ),
        }
    )


def _facts(facts: Mapping[str, object]) -> None:
    draw_facts({name: str(value) for name, value in facts.items() if value not in (None, "")})


def page() -> None:
    """Draw the page."""
    release = state.reader().release
    theme.page_header(
        "About", "How the figures are made, what the words mean, from which data, and what they can bear."
    )
    st.subheader("Method", anchor=False)
    st.markdown(METHOD)
    glossary_section()
    model_section()
    potentials_section()
    data_section()
    limits_section(release)
    versions_section(release)
    scroll_to_hash()


page()
