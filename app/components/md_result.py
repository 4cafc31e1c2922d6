"""A finished run: verdict and reason in words, its figures, displacement, pictures, and what it was made with."""

from dataclasses import replace
from typing import Final

import streamlit as st

from app.components.candidate_figures import Figure, draw_cards
from app.components.md_actions import actions
from app.components.md_figures import Curve, msd_figure
from app.components.md_pictures import draw_path, draw_trajectory
from app.components.md_runs import diffusion, has_frames
from app.components.md_words import VERDICT_LOOK, VERDICT_MEANING, d_words, duration_words, sigma_words
from app.components.tables import Detailed, draw_facts, draw_named_rows
from app.theme import palette, safe
from core.quantities import scientific
from core.records import Crystal
from core.service.calculations import Calculation, Result
from core.service.dynamics import TEACHER_LIMIT_EV_PER_A, DiffusionResult, RefinementErrors

_CONFIG: Final = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
_VIEWS: Final = {"msd": "Displacement", "path": "Where the ions have been", "trajectory": "Trajectory"}


def finished_run(run: Calculation, crystal: Crystal | None) -> None:
    """Draw everything about a run that is over; `crystal` is the structure that it started from, where it is known."""
    result = diffusion(run)
    _verdict(run.result)
    if result is None:
        _any_kind(run)
    else:
        _diffusion(run, result, crystal)
    actions(run)


def _any_kind(run: Calculation) -> None:
    """Draw a calculation of which no picture is made: what was asked and what came out, as lists show it."""
    rows = run.spec.settings() | run.result.figures()
    draw_facts({
        "Kind": run.spec.title, "Run": run.name, **{name: str(value) for name, value in rows.items()},
        "Computed": run.result.created[:16].replace("T", " "), "Provenance": run.result.provenance.id,
    })  # fmt: skip


def _diffusion(run: Calculation, result: DiffusionResult, crystal: Crystal | None) -> None:
    draw_cards(_cards(result), in_a_row=True)
    offered = {"msd": True, "path": crystal is not None, "trajectory": has_frames(run)}
    views = [name for name in _VIEWS if offered[name]]
    view = st.segmented_control(
        "Show", views, default="msd", required=True, key=f"md_view_{run.name}", label_visibility="collapsed",
        format_func=_VIEWS.__getitem__,
    )  # fmt: skip
    if view == "path" and crystal is not None:
        draw_path(run, crystal, key=f"md_path_{run.name}")
    elif view == "trajectory" and run.folder is not None:
        draw_trajectory(run.folder, key=f"md_player_{run.name}", working_ion=result.working_ion)
    else:
        _displacement(result)
    with st.expander("How it was made", icon=":material/fact_check:"):
        draw_facts(_facts(result))


def _verdict(result: Result) -> None:
    verdict = result.verdict
    icon, colour = VERDICT_LOOK.get(verdict, (":material/check_circle:", "gray"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(verdict, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"{VERDICT_MEANING.get(verdict, '')} {safe(result.reason)}", width="stretch")
    for note in result.notes:
        st.caption(safe(note))


def _cards(result: DiffusionResult) -> list[Figure]:
    d, d_detail = d_words(vars(result))
    sigma, sigma_detail = sigma_words(vars(result) | {"sigma_verdict": result.verdict})
    return [
        Figure(
            label=f"Diffusivity of {result.working_ion}", value=d, detail=d_detail,
            help="A sixth of the slope of the mean-square displacement, with its 90 % interval.",
        ),
        Figure(
            label=f"Conductivity at {result.temperature_k:.0f} K", value=sigma, detail=sigma_detail,
            help="By Nernst and Einstein from the diffusivity, ions taken as independent.",
        ),
        Figure(
            label="Simulated", value=f"{result.simulated_ps:.3g} ps",
            detail=f"{result.n_atoms:,} atoms, {result.n_working_ions} {result.working_ion}",
            help="At constant volume: the part that is measured.",
        ),
        teacher_card(result),
    ]  # fmt: skip


def teacher_card(result: DiffusionResult) -> Figure:
    """Return how far the potential's forces were from its teacher's on the run's own snapshots."""
    error = result.teacher_force_mae_ev_per_a
    help = (
        "Mean absolute difference of force components from the potential's teacher, on snapshots of this very run. "
        f"Forces at 1200 K are near 1 eV/Å; above {TEACHER_LIMIT_EV_PER_A:g} the run counts as out of domain."
    )
    if error is None:
        return Figure(label="Teacher's check", value="none", detail="see the notes", help=help)
    detail = (
        "close to its teacher" if error <= TEACHER_LIMIT_EV_PER_A / 2
        else "acceptable" if error <= TEACHER_LIMIT_EV_PER_A else "too far to be trusted"
    )  # fmt: skip
    return Figure(label="Force error against teacher", value=f"{error:.2f} eV/Å", detail=detail, help=help)


def curves_of(result: DiffusionResult, *, name: str | None = None) -> list[Curve]:
    """Return the mean-square displacements of a result: the ion's with its fit, the framework's thin.

    With a `name`, the ion's alone under that name, to stand beside those of other runs.
    """
    ion = result.working_ion
    fit = result.fit if result.d_cm2_per_s is not None else None  # no line where the verdict allows no value
    curves = []
    for species, msd in result.msd.items():
        curve = Curve(name=name or species, lag_ps=msd.lag_ps, msd_a2=msd.msd_a2, thin=species != ion)
        if species == ion and fit is not None:
            curve = replace(
                curve, fit_ps=fit.lag_ps, fit_a2=fit.msd_a2, low_a2=fit.low_a2, high_a2=fit.high_a2
            )
        curves.append(curve)
    kept = [curve for curve in curves if name is None or not curve.thin]
    return sorted(kept, key=lambda curve: curve.thin)


def _displacement(result: DiffusionResult) -> None:
    if not result.msd:
        st.info("The run ended before there was a displacement to show.", icon=":material/info:")
        return
    left, right = st.container(key=f"stacking-result-{result.run_id}").columns([1.7, 1], gap="large")
    left.plotly_chart(
        msd_figure(curves_of(result), palette()), config=_CONFIG, key=f"md_msd_{result.run_id}",
        alt="Mean-square displacement against lag time, by species, with the fitted line",
    )  # fmt: skip
    with right:
        _axes(result)


def _axes(result: DiffusionResult) -> None:
    if not result.axes:
        st.caption(
            f"Verdict {safe(result.verdict)}: no line is drawn and no diffusivity per axis given. Both come with a "
            "diffusive run."
        )
        return
    st.markdown("**Diffusivity along each axis**")
    draw_named_rows(
        ["cm²/s"],
        {
            axis: [
                Detailed(
                    text=scientific(it.d_cm2_per_s) if it.d_cm2_per_s > 0 else "0",
                    detail=f"{scientific(it.d_low_cm2_per_s) if it.d_low_cm2_per_s > 0 else '0'} to "
                    f"{scientific(it.d_high_cm2_per_s)}",
                )
            ]
            for axis, it in zip("xyz", result.axes, strict=True)
        },
    )
    st.caption(
        "Cartesian axes of the simulated cell, 90 % intervals. Very different values mark layers or channels."
    )


def _refinement_words(errors: RefinementErrors | None) -> str:
    if errors is None:
        return "none"
    return (
        f"{errors.rounds} rounds: force error against the teacher {errors.force_mae_before_ev_per_a:.3f}, then "
        f"{errors.force_mae_after_ev_per_a:.3f} eV/Å"
    )


def _facts(result: DiffusionResult) -> dict[str, str]:
    protocol, made_by = result.protocol, result.provenance
    matrix = "; ".join(" ".join(str(number) for number in row) for row in result.supercell_matrix)
    speed, drift = result.atom_steps_per_s, result.drift_mev_per_atom_per_ps
    return {
        "Run": result.run_id,
        "Potential": f"{result.potential}, sha256 {str(made_by.model_sha256)[:12]}…",
        "Protocol": f"{protocol.name}: {protocol.npt_ps:g} ps NPT, {protocol.nvt_ps:g} ps NVT, "
        f"{protocol.time_step_fs:g} fs a step",
        "Fine-tuning": _refinement_words(result.refinement),
        "Supercell": f"[{matrix}], {result.n_removed} {result.working_ion} removed by seed {result.seed}",
        "Energy drift": "not measured"
        if drift is None
        else f"{drift:.2g} meV per atom and ps without a thermostat",
        "Motion": result.regime or "not told",
        "Time taken": duration_words(result.seconds),
        "Speed": f"{speed:,.0f} atom-steps a second on {made_by.device}" if speed else "not measured",
        "Computed": str(result.created)[:16].replace("T", " "),
        "Provenance": made_by.id,
    }
