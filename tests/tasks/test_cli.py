"""`python -m core mlmd`: the same runs from a terminal."""

import csv
import io
import json
from pathlib import Path

import pytest

from core.cli import main
from core.records import Crystal
from core.tasks import queue, status
from tests.dynamics.toys import rocksalt
from tests.store.small_release import crystals, make_release
from tests.tasks.made_runs import walked

SMALL = [
    "--potential", "toy", "--device", "cpu", "--min-atoms", "60", "--max-atoms", "64", "--temperature-k", "600",
    "--npt-ps", "0.04", "--nvt-ps", "0.04", "--protocol", "quick",
]  # fmt: skip


@pytest.fixture
def cif(tmp_path: Path) -> Path:
    path = tmp_path / "salt.cif"
    path.write_text(rocksalt().to_cif())
    return path


def no_drift_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a thousand steps of NVE are the dynamics' business."""
    from core import dynamics

    quick = dynamics.PROTOCOLS["quick"].with_changes(drift_ps=0.0)
    monkeypatch.setattr(dynamics, "PROTOCOLS", {"quick": quick})


@pytest.mark.parametrize("arguments", [[], ["run"], ["status"], ["cancel"], ["resume"], ["list"], ["merge"]])
@pytest.mark.parametrize("group", ["mlmd", "runs"])
def test_help_explains_itself(group, arguments, capsys):
    if (group, arguments) == ("runs", ["run"]):
        arguments = ["submit"]
    with pytest.raises(SystemExit) as stopped:
        main([group, *arguments, "--help"])
    assert stopped.value.code == 0
    assert f"usage: python -m core {group}" in capsys.readouterr().out


def test_run_tells_the_time_and_prints_the_result(cif, tmp_path, monkeypatch, capsys):
    no_drift_test(monkeypatch)
    output = tmp_path / "out"
    command = ["mlmd", "run", str(cif), *SMALL, "--seed", "3", "--output", str(output)]
    assert main(command) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert (printed["id"], printed["seed"], printed["verdict"]) == ("salt", 3, "too short")
    assert "s a step measured, 240 steps, about" in captured.err and "too short:" in captured.err
    (folder,) = (path for path in output.iterdir() if path.is_dir())
    stored = json.loads((folder / "result.json").read_text())
    assert json.loads((output / "result.json").read_text()) == stored
    assert stored["protocol"]["name"] == "quick-changed" and printed.items() <= stored.items()
    assert main(command) == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == printed and "finished already" in again.err


def test_a_candidate_runs_by_its_id_in_the_background(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MGC_PRECOMPUTED", str(tmp_path / "precomputed"))
    make_release(tmp_path / "precomputed", "1")
    monkeypatch.setattr(queue, "start_detached", lambda *_, **__: queue_identity())
    monkeypatch.setattr("core.calculations.kinds.diffusion.estimate.measure_step", lambda *_, **__: 0.01)
    assert main(["mlmd", "run", "mp-1", *SMALL, "--detach"]) == 0
    job_id = capsys.readouterr().out.strip()
    assert status(job_id).spec.subject.id == "mp-1" and status(job_id).state == "queued"
    assert main(["mlmd", "status", job_id]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "queued"
    assert main(["mlmd", "cancel", job_id]) == 0
    assert "is cancelled" in capsys.readouterr().err
    assert main(["mlmd", "list"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["name"], row["state"]) == (job_id, "cancelled")
    assert main(["mlmd", "resume", job_id]) == 0
    assert "is queued" in capsys.readouterr().err


def queue_identity():
    from core.dispatch.process import ProcessIdentity

    return ProcessIdentity.current()


def test_merge_takes_every_finished_run(make_spec, runs, tmp_path, capsys):
    release = tmp_path / "precomputed"
    make_release(release, "1")
    assert main(["mlmd", "merge", "--precomputed", str(release)]) == 2
    assert "No finished run to merge" in capsys.readouterr().err
    crystal: Crystal = next(it for it in crystals() if it.id == "mp-2")
    for seed in range(2):
        walked(make_spec(id="mp-2", crystal=crystal, seed=seed), runs, step_a=0.15)
    assert main(["mlmd", "merge", "--precomputed", str(release)]) == 0
    assert "-n2-" in capsys.readouterr().err
    assert main(["mlmd", "merge", "--precomputed", str(release)]) == 0
    told = capsys.readouterr().err
    assert "2 are in the release already." in told and "Nothing new" in told


def test_a_run_that_fails_is_status_1(cif, monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("core.calculations.kinds.diffusion.estimate.measure_step", lambda *_, **__: 0.01)
    monkeypatch.setattr("core.calculations.kinds.diffusion.work.simulate", broken)
    assert main(["mlmd", "run", str(cif), *SMALL]) == 1
    assert "is failed: ZeroDivisionError: oh" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["run", "no such thing"], "neither a file nor a candidate's id"),
        (["run", "two.jsonl"], "holds 2 structures"),
        (["run", "salt.cif", "--potential", "luck"], "'luck' is not a potential"),
        (["run", "salt.cif", "--device", "cuda:7"], "cuda:7"),
        (["run", "salt.cif", "--nvt-ps", "-1"], "nvt_ps is -1.0"),
        (["run", "salt.cif", "--ion", "Ca"], "holds no Ca"),
        (["status", "absent"], "There is no run 'absent'"),
        (["merge", "absent"], "There is no run 'absent'"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, reason, cif, monkeypatch, capsys):
    monkeypatch.chdir(cif.parent)
    line = json.dumps(rocksalt().to_dict())
    Path("two.jsonl").write_text(f"{line}\n{line}\n".replace("toy-MgO", "a", 1))
    assert main(["mlmd", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1
