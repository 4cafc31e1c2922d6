"""A disk that is full while a run is at work: it fails in words that name the disk, and goes on where there is room."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import artifacts
from core.artifacts import why_not_written
from core.tasks import queue
from core.tasks.folder import RunFolder
from core.tasks.worker import run_job
from tests.tasks.conftest import make_spec, runs

__all__ = ["make_spec", "runs"]  # fixtures

IN_A_SMALL_DISK = 'mount -t tmpfs -o size=512k small "$1" && exec "$2" "$3" "$1" "$4" "$5"'
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def on_a_small_disk(tmp_path: Path, ballast_bytes: int) -> dict:
    """Run the script on a disk of 512 kB in a name space of its own; skipped where the system does not lend one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = Path(__file__).with_name("full_disk.py")
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", IN_A_SMALL_DISK, "sh"]
    done = subprocess.run(
        [*command, str(disk), sys.executable, str(script), str(ballast_bytes), str(tmp_path / "whole")],
        capture_output=True, text=True, check=False, env=os.environ | {"MGC_RUNS": str(disk / "runs")},
    )  # fmt: skip
    if done.returncode and ("unshare" in done.stderr or "mount" in done.stderr):
        pytest.skip(f"no disk of its own to fill: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(not Path("/usr/bin/unshare").exists(), reason="needs a name space of its own")
@pytest.mark.parametrize("free_kb", [32, 12, 0])
def test_a_run_on_a_full_disk_fails_in_words_and_goes_on_with_room(tmp_path, free_kb):
    told = on_a_small_disk(tmp_path, (512 - 24 - free_kb) * 1024)
    full = told["full"]
    assert full["state"] == "failed" and "Errno" not in full["error"]
    assert f"the disk at {tmp_path / 'disk'} is full" in full["error"]
    assert "MB are free" in full["error"] and "esume" in full["error"]
    assert "is full" in told["refused"]
    assert (told["after"], told["same"]) == ("finished", True)


def test_the_reason_is_written_where_no_file_can_be_made_any_more(make_spec, monkeypatch):
    """The status is written over in place, which takes no room."""
    folder = queue.prepare(make_spec())
    folder.write_status("queued")

    def no_room(path: Path) -> None:
        raise FULL

    monkeypatch.setattr(artifacts, "replacing", no_room)
    job = run_job(folder.path)
    assert job.state == "failed" and "is full" in job.error and "runs resume" in job.error


def test_without_a_status_to_write_over_it_is_an_error(runs, monkeypatch):
    folder = RunFolder(path=runs / "run")
    folder.path.mkdir(parents=True)
    monkeypatch.setattr(artifacts, "replacing", lambda path: (_ for _ in ()).throw(FULL))
    with pytest.raises(OSError, match="No space"):
        folder.write_status("queued")


def test_each_limit_has_its_words(tmp_path):
    assert "your share of the disk" in why_not_written(tmp_path / "a" / "b", OSError(errno.EDQUOT, ""))
    assert "ulimit -f" in why_not_written(tmp_path / "frames", OSError(errno.EFBIG, ""))
    assert why_not_written(tmp_path, OSError(errno.EACCES, "Permission denied")) == "Permission denied"
