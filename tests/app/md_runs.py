"""Runs of a small release's MgO for tests of pages, and what a page says."""

import json
import shutil
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.calculations.kinds.diffusion import DiffusionSpec
from core.dispatch.process import ProcessIdentity
from core.tasks import RunFolder, merge
from core.tasks.folder import ProgressLog
from tests.dynamics.toys import SHORT
from tests.store.small_release import crystals
from tests.tasks.made_runs import walked
from tests.tasks.toy_potential import NAME

MGO = crystals()[1]
STEP_A = 0.15


def spec(temperature_k: float = 1200.0, seed: int = 0) -> DiffusionSpec:
    protocol = SHORT.with_changes(name="quick", temperature_k=temperature_k)
    return DiffusionSpec.planned(crystal=MGO, protocol=protocol, potential=NAME, device="cpu", seed=seed)


def words(app: AppTest) -> str:
    html = [element.proto.body for element in app.get("html")]
    parts = (app.markdown, app.subheader, app.caption, app.info, app.warning, app.error, app.success)
    return "\n".join([*(element.value for part in parts for element in part), *html])


def charts(app: AppTest, *, powder: bool = False) -> list[dict[str, Any]]:
    """The figures of a page: those of calculations, or the powder pattern, which every candidate has."""
    drawn = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [it for it in drawn if ("2θ" in it["layout"]["xaxis"]["title"]["text"]) == powder]


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def half_done(asked: DiffusionSpec, runs: Path, state: str) -> RunFolder:
    """A run with a few reports and frames, in any state but finished."""
    folder = RunFolder(path=walked(asked, runs, step_a=STEP_A, n_frames=10))
    (folder.path / "result.json").unlink()
    row = {
        "n_steps": 100,
        "energy_ev_per_atom": -3.0,
        "volume_a3": 500.0,
        "seconds_per_step": 0.1,
        "wall_s": 1.0,
    }
    with ProgressLog(folder) as log:
        for step in (10, 20, 30):
            log.add(
                row | {"phase": "nvt", "step": step, "time_ps": step / 500, "temperature_k": 1200.0 + step,
                       "msd_mobile_a2": 0.1 * step, "msd_framework_a2": None, "fraction": step / 100, "eta_s": 7.0}
            )  # fmt: skip
    error = {"error": "disk <b> full"} if state == "failed" else {}
    folder.write_status("running" if state == "interrupted" else state, **error)
    if state == "running":
        folder.write("worker.json", ProcessIdentity.current().to_dict())
    return folder


def ship(precomputed: Path, runs: Path, *asked: DiffusionSpec) -> None:
    """Make runs and merge them into the release; what they left on this machine goes."""
    paths = [walked(it, runs, step_a=STEP_A) for it in asked]
    merge(paths, precomputed)
    for path in paths:
        shutil.rmtree(path)
