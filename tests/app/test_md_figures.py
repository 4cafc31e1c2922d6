"""Figures of molecular dynamics: what is drawn, and what is left out."""

from dataclasses import replace

import pytest

from app.components.md_compare import labels
from app.components.md_figures import ArrheniusPoint, Curve, arrhenius_figure, live_figure, msd_figure
from app.theme import _LIGHT as LIGHT
from core.dynamics import PROTOCOLS
from core.potentials import registry
from core.tasks import RunFolder
from tests.app.md_runs import STEP_A, spec
from tests.tasks import toy_potential
from tests.tasks.made_runs import walked


def test_a_curve_has_its_line_and_band() -> None:
    fitted = Curve(
        name="Mg", lag_ps=(0, 1, 2), msd_a2=(0, 1, 2), fit_ps=(1, 2), fit_a2=(1, 2), low_a2=(0.8, 1.6),
        high_a2=(1.3, 2.6),
    )  # fmt: skip
    framework = Curve(name="O", lag_ps=(0, 1, 2), msd_a2=(0, 0.1, 0.1), thin=True)
    figure = msd_figure([fitted, framework], LIGHT)
    low, high, curve, line, other = figure["data"]
    assert (low["y"], high["y"], high["fill"]) == ([0.8, 1.6], [1.3, 2.6], "tonexty")
    assert line["line"]["dash"] == "dash" and other["line"]["width"] < curve["line"]["width"]
    assert "Å²" in figure["layout"]["yaxis"]["title"]["text"]


def test_a_hostile_name_stays_text() -> None:
    (trace,) = msd_figure([Curve(name="<b>x</b>", lag_ps=(0,), msd_a2=(0,))], LIGHT)["data"]
    assert trace["name"] == "&lt;b&gt;x&lt;/b&gt;"


def test_arrhenius_draws_values_limits_and_the_line() -> None:
    value = ArrheniusPoint(temperature_k=1000.0, d_cm2_per_s=2e-6, low=1e-6, high=4e-6)
    limit = ArrheniusPoint(temperature_k=800.0, d_cm2_per_s=None, low=None, high=1e-7)
    figure = arrhenius_figure([value, limit], [(1000.0, 2e-6, 1e-6, 4e-6), (1200.0, 4e-6, 2e-6, 8e-6)], LIGHT)
    by_name = {trace.get("name"): trace for trace in figure["data"]}
    assert by_name["Runs, 90 %"]["x"] == [1.0] and by_name["Upper limits"]["y"] == [1e-7]
    assert by_name["Runs, 90 %"]["error_y"]["array"] == pytest.approx([2e-6])
    assert figure["layout"]["xaxis"]["ticktext"] == ["800", "1,000"]
    assert len(arrhenius_figure([value], [], LIGHT)["data"]) == 1


def test_a_live_plot_shows_its_target() -> None:
    figure = live_figure([0.0, 1.0], {"T": [900.0, 1210.0]}, unit="K", level=1200.0, colours=LIGHT)
    assert figure["layout"]["shapes"][0]["y0"] == 1200.0 and not figure["layout"]["showlegend"]


def test_compared_runs_are_told_apart_by_what_differs(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))
    toy_potential.register()
    first = RunFolder(path=walked(spec(900.0), tmp_path, step_a=STEP_A, n_frames=10)).result()
    again = replace(first, seed=1)
    other = replace(again, potential="b", protocol=PROTOCOLS["paper"])
    assert labels([first, again, again]) == [
        "MgO, 900 K, seed 0",
        "MgO, 900 K, seed 1",
        "MgO, 900 K, seed 1 (3)",
    ]
    assert labels([first, again, again, other])[3] == "MgO, 900 K, b, seed 1, paper"
