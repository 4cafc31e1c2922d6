"""Small parts of the Candidate page: downloads, nearest electrodes, provenance."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from app.components.tables import Link, draw_facts, draw_table
from app.components.text import pretty_formula
from core.quantities import QUANTITIES
from core.service.candidates import Candidate

_BATTERY_URL: Final = "https://materialsproject.org/batteries/"
_HASH_DIGITS: Final = 12


def provenance_section(candidate: Candidate) -> None:
    """Fold away who computed the voltage from what, with the hashes."""
    with st.expander("Provenance and hashes", icon=":material/fingerprint:"):
        draw_facts(provenance_facts(candidate))


def provenance_facts(candidate: Candidate) -> dict[str, str]:
    """Return model, data, release and hashes by name."""
    row, release, made_by = candidate.row, candidate.release, candidate.provenance
    if made_by is None:
        return {"Provenance": str(candidate.provenance_error), "Release": release.version}
    spread = QUANTITIES["voltage_std_v"].text(row["voltage_std_v"], missing="")
    return {
        "Model": made_by["model_name"] or "none",
        "Model hash": _short(made_by["model_sha256"]),
        "Spread": f"{spread} standard deviation" if spread else "none",
        QUANTITIES["in_domain"].label: QUANTITIES["in_domain"].text(row["in_domain"]),
        "Data hash": _short(made_by["data_sha256"]),
        "Computed": f"{made_by['created'][:16].replace('T', ' ')} on {made_by['device']}{_seeds(made_by)}",
        "Provenance": row["provenance_id"],
        "Release": f"{release.version}, code {made_by['code_version']}",
    }


def _seeds(made_by: Mapping[str, Any]) -> str:
    seeds = list(made_by["seeds"]) or [it for it in [made_by["seed"]] if it is not None]
    return f", seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" if seeds else ""


def _short(digest: str | None) -> str:
    return f"sha256 {digest[:_HASH_DIGITS]}…" if digest else "none"


_NEAREST: Final = ("battery_id", "formula_discharge", "working_ion", "average_voltage_v", "distance")


def nearest_electrodes(candidate: Candidate) -> None:
    """List the labelled electrodes whose learned vectors lie nearest."""
    st.subheader("Nearest labelled electrodes", anchor=False)
    if candidate.nearest.empty:
        st.info("This release holds no nearest electrodes for the candidate.", icon=":material/info:")
        return
    voltage, distance = QUANTITIES["average_voltage_v"], QUANTITIES["distance"]
    draw_table(
        [QUANTITIES[name].head for name in _NEAREST],
        [
            [
                Link(text=it.battery_id, url=_BATTERY_URL + quote(it.battery_id, safe="")),
                pretty_formula(it.formula_discharge),
                it.working_ion,
                voltage.number(it.average_voltage_v),
                distance.number(it.distance),
            ]
            for it in candidate.nearest.itertuples()
        ],
    )
    st.caption(
        "Distance between the vectors that the voltage model learned; voltages by density-functional theory."
    )


def downloads(candidate: Candidate, dossier: Callable[[], str]) -> None:
    """Offer the structure as CIF, all that is known as JSON, and the `dossier` to print, each made on click."""
    with st.container(horizontal=True):
        st.download_button(
            "CIF",
            data=lambda: candidate.crystal.to_cif(),
            file_name=f"{candidate.row['id']}.cif",
            mime="chemical/x-cif",
            icon=":material/download:",
            on_click="ignore",
            help="The structure, with its source and licence in the head of the file.",
        )
        st.download_button(
            "JSON",
            data=lambda: candidate.json(),
            file_name=f"{candidate.row['id']}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help="The structure with all figures, the nearest electrodes, provenance and release.",
        )
        st.download_button(
            "One page to print",
            data=lambda: dossier().encode(),
            file_name=f"{candidate.row['id']}.html",
            mime="text/html",
            icon=":material/print:",
            on_click="ignore",
            help="Verdict, voltages, figures and powder pattern on one page of A4, as a file that needs nothing else.",
        )
