"""The parts of the Candidate page below its picture: origin of the voltage, neighbours, conductivity, downloads."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from app.components.tables import Link, draw_facts, draw_table
from app.components.text import is_missing, pretty_formula
from app.theme import safe
from core.errors import StoreError
from core.store import Reader

Row = Mapping[str, Any]

_BATTERY_URL: Final = "https://materialsproject.org/batteries/"
_HASH_DIGITS: Final = 12


def voltage_origin(reader: Reader, row: Row) -> None:
    """Say which model predicted the voltage, on what, and how far to trust it."""
    st.subheader("Where the voltage comes from", anchor=False)
    if row["voltage_error"]:
        st.warning(f"No voltage was predicted: {safe(row['voltage_error'])}", icon=":material/info:")
    elif not row["in_domain"]:
        st.warning(
            "This structure is unlike the labelled electrodes that the model learned from: "
            "expect errors beyond the interval.",
            icon=":material/explore_off:",
        )
    draw_facts(_provenance_facts(reader, row))


def _provenance_facts(reader: Reader, row: Row) -> dict[str, str]:
    release = reader.release
    try:
        made_by = reader.provenance(row["provenance_id"])
    except StoreError as error:
        return {"Provenance": str(error), "Release": release.version}
    return {
        "Model": made_by["model_name"] or "none",
        "Model hash": _short(made_by["model_sha256"]),
        "Spread": "none"
        if is_missing(row["voltage_std_v"])
        else f"{row['voltage_std_v']:.2f} V standard deviation",
        "In domain": "yes" if row["in_domain"] else "no",
        "Data hash": _short(made_by["data_sha256"]),
        "Computed": f"{made_by['created'][:16].replace('T', ' ')} on {made_by['device']}, seed {made_by['seed']}",
        "Provenance": row["provenance_id"],
        "Release": f"{release.version}, code {made_by['code_version']}",
    }


def _short(digest: str | None) -> str:
    return f"sha256 {digest[:_HASH_DIGITS]}…" if digest else "none"


def nearest_electrodes(reader: Reader, row: Row) -> None:
    """List the labelled electrodes whose learned vectors lie nearest."""
    st.subheader("Nearest labelled electrodes", anchor=False)
    near = reader.nearest_electrodes(row["id"])
    if near.empty:
        st.info("This release holds no nearest electrodes for the candidate.", icon=":material/info:")
        return
    draw_table(
        ["Electrode", "Discharged", "Ion", "Voltage (V)", "Distance"],
        [
            [
                Link(text=it.battery_id, url=_BATTERY_URL + quote(it.battery_id, safe="")),
                pretty_formula(it.formula_discharge),
                it.working_ion,
                f"{it.average_voltage_v:.2f}",
                f"{it.distance:.2f}",
            ]
            for it in near.itertuples()
        ],
    )
    st.caption(
        "Distance between the vectors that the voltage model learned; voltages by density-functional theory."
    )


def downloads(reader: Reader, row: Row) -> None:
    """Offer the structure as CIF and everything known about the candidate as JSON, made on click."""
    with st.container(horizontal=True):
        st.download_button(
            "CIF",
            data=lambda: reader.crystal(row["id"]).to_cif(),
            file_name=f"{row['id']}.cif",
            mime="chemical/x-cif",
            icon=":material/download:",
            on_click="ignore",
            help="The structure, with its source and licence in the head of the file.",
        )
        st.download_button(
            "JSON",
            data=lambda: record_json(reader, row),
            file_name=f"{row['id']}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help="The structure with all figures, the nearest electrodes, provenance and release.",
        )


def record_json(reader: Reader, row: Row) -> str:
    """Return everything that the release knows about a candidate as JSON text; absent numbers are null."""
    release = reader.release
    record = {
        "structure": reader.crystal(row["id"]).to_dict(),
        "figures": dict(row),
        "nearest_electrodes": json.loads(reader.nearest_electrodes(row["id"]).to_json(orient="records")),
        "conductivities": json.loads(reader.conductivities(row["id"]).to_json(orient="records")),
        "provenance": reader.provenance(row["provenance_id"]),
        "release": {"version": release.version, "created": release.created, "sha256": release.sha256},
    }
    return json.dumps(record, indent=1, default=str, allow_nan=False)
