"""Several finished runs side by side: their displacements in one plot, their figures in one table."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app.components.md_figures import msd_figure
from app.components.md_result import curves_of, teacher_card
from app.components.md_words import d_words, sigma_words
from app.components.tables import Cell, Detailed, draw_named_rows
from app.components.text import pretty_formula
from app.theme import palette
from core.service.dynamics import DiffusionResult

_CONFIG: Final = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def compare_runs(results: Sequence[DiffusionResult], *, n_without: int) -> None:
    """Draw the mean-square displacements of the working ions in one plot, and the figures beneath."""
    st.subheader("Side by side", anchor=False)
    if n_without:
        st.caption(f"{n_without} of the ticked runs have no displacement to compare and are left out.")
    names = labels(results)
    curves = [
        curve for result, name in zip(results, names, strict=True) for curve in curves_of(result, name=name)
    ]
    if curves:
        st.plotly_chart(
            msd_figure(curves, palette(), height=460), config=_CONFIG, key="dynamics_msd",
            alt="Mean-square displacements of the working ions of the ticked runs",
        )  # fmt: skip
    rows: dict[str, Sequence[Cell]] = {
        name: _cells(result) for result, name in zip(results, names, strict=True)
    }
    if rows:
        draw_named_rows(
            ["Verdict", "Diffusivity", "Conductivity", "Simulated", "Error against teacher"], rows
        )


def labels(results: Sequence[DiffusionResult]) -> list[str]:
    """Name runs by what tells them apart: formula and temperature always, the rest where it differs among them."""
    differing = [
        name for name in ("potential", "seed") if len({getattr(result, name) for result in results}) > 1
    ]
    if len({result.id for result in results}) > len({result.formula for result in results}):
        differing.insert(0, "id")
    protocols = {result.protocol.name for result in results}
    names: list[str] = []
    for place, result in enumerate(results, 1):
        words = [pretty_formula(result.formula), f"{result.temperature_k:g} K"]
        words += [
            f"seed {result.seed}" if name == "seed" else str(getattr(result, name)) for name in differing
        ]
        if len(protocols) > 1:
            words.append(result.protocol.name)
        name = ", ".join(words)
        names.append(f"{name} ({place})" if name in names else name)
    return names


def _cells(result: DiffusionResult) -> list[Cell]:
    d, d_detail = d_words(vars(result))
    sigma, sigma_detail = sigma_words(vars(result) | {"sigma_verdict": result.verdict})
    return [
        result.verdict,
        Detailed(text=d, detail=d_detail),
        Detailed(text=sigma, detail=sigma_detail),
        f"{result.simulated_ps:.3g} ps",
        teacher_card(result).value,
    ]
