"""Jobs that work, die, hang, eat memory and write garbage, on this platform and with Windows' code path forced."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest

from vae import jobs

ROOT = Path(__file__).parents[2]
MODULES = {
    "works": """
        from vae import jobs
        def work(folder, report):
            report("halfway — ½", 0.5)
            while not (folder / "go on").exists():
                time.sleep(0.02)
            return {"seen": np.array(sorted(path.name for path in folder.iterdir()))}
        import numpy as np
        jobs.WINDOWS = {windows}
        jobs.run(work)
    """,
    "answers": """
        from vae import jobs
        def work(folder, report):
            raise jobs.JobError("No image\\nis an élan — 図.")
        jobs.WINDOWS = {windows}
        jobs.run(work)
    """,
    "waits": """
        from vae import jobs
        jobs.WINDOWS = {windows}
        jobs.run(lambda folder, report: (report("waiting", 0), time.sleep(600)))
    """,
    "spins": """
        from vae import jobs
        jobs.WINDOWS = {windows}
        jobs.run(lambda folder, report: sum(iter(int, 1)))  # holds the interpreter and never returns
    """,
    "exits": "os._exit(3)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "raises": "raise RuntimeError('for the log')",
    "sleeps": "time.sleep(600)",
    "ignores": """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / "ready").touch()
        sum(iter(int, 1))
    """,
    "eats": "kept = bytearray(b'x') * 400_000_000; time.sleep(600)",
    "child_eats": """
        child = "import time; kept = bytearray(b'x') * 400_000_000; time.sleep(600)"
        subprocess.run([sys.executable, "-c", child])
    """,
    "has_child": """
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (folder / "child").write_text(str(child.pid), encoding="utf-8")
        (folder / "ready").touch()
        child.wait()
    """,
    "writes": """
        for name in ("progress.json", "sentence", "result.npz"):
            if (folder / f"of {name}").exists():
                os.rename(folder / f"of {name}", folder / name)
        (folder / "ready").touch()
    """,
    "pipes": """
        for name in ("progress.json", "sentence", "result.npz"):
            os.mkfifo(folder / name)
        (folder / "ready").touch()
    """,
}
BEGIN = "import os, signal, subprocess, sys, time\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n"
NOT_ON_WINDOWS = """
import os, signal, sys
for module, name in [(os, "killpg"), (os, "getpgid"), (os, "setsid"), (os, "setpgid"), (os, "nice"), (os, "fork"),
                     (os, "getppid"), (os, "waitid"), (signal, "SIGALRM"), (signal, "alarm"), (signal, "setitimer")]:
    delattr(module, name)
"""


@pytest.fixture(params=["here", "windows"])
def start(request, tmp_path, monkeypatch):
    """Starts a job of a module of MODULES; on "windows" without what Windows lacks, here and in the child."""
    windows = request.param == "windows"
    folder = tmp_path / "mödules with spaces"
    folder.mkdir()
    for name, source in MODULES.items():
        source = BEGIN + textwrap.dedent(source).replace("{windows}", str(windows))
        (folder / f"job_{name}.py").write_text(source, encoding="utf-8")
    if windows:
        (folder / "sitecustomize.py").write_text(NOT_ON_WINDOWS, encoding="utf-8")
        monkeypatch.setattr(jobs, "WINDOWS", True)
        for name in ("killpg", "getpgid", "setsid", "nice", "getppid"):
            monkeypatch.delattr(os, name)
        monkeypatch.delattr(signal, "SIGALRM")
    (tmp_path / "tëmp with spaces").mkdir()
    monkeypatch.setattr(jobs.tempfile, "tempdir", str(tmp_path / "tëmp with spaces"))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("LC_ALL", "C")
    started = []

    def start(name, files=None, seconds=120.0, memory=2**32, at_once=9, parse=lambda arrays: arrays):
        def prepare(folder):
            for path, content in (files or {}).items():
                (folder / path).write_bytes(content)

        job = jobs.Job(f"job_{name}", "The test", prepare, parse, jobs.Limits(seconds, memory, at_once))
        started.append(job)
        return job

    yield start
    for job in started:
        job.cancel()


def wait(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def sentence(job):
    """The one sentence on a job without a result; nothing of it is left."""
    wait(lambda: not job.alive)
    with pytest.raises(jobs.JobError) as error:
        job.result()
    assert not job.folder.exists() and job not in jobs.Job._running
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    return str(error.value)


def test_two_jobs_report_and_return_and_do_not_see_each_others_files(start):
    pair = [start("works", {"mine": b"1"}), start("works", {"other": b"2"})]
    halfway = jobs.Progress("halfway — ½", 0.5)
    assert pair[0].progress() in (jobs.Progress("starting", 0.0), halfway)  # it may have run while the other started
    for job in pair:
        wait(lambda job=job: job.progress() == halfway)
        assert job.folder.stat().st_mode & 0o077 == 0  # of this user alone
        (job.folder / "go on").touch()
    for job, name in zip(pair, ("mine", "other"), strict=True):
        wait(lambda job=job: not job.alive)
        arrays = job.result()
        assert set(arrays["seen"]) >= {name, "go on"} and not {"mine", "other"} - {name} & set(arrays["seen"])
        assert not job.folder.exists()


def test_a_sentence_of_the_job_reaches_the_parent(start):
    assert sentence(start("answers")) == "No image is an élan — 図."


@pytest.mark.parametrize("name, status", [("exits", 3), ("killed", -9), ("raises", 1)])
def test_a_job_that_dies(start, name, status, caplog):
    said = sentence(start(name))
    assert said == f"The test ended without a result (exit {status}); nothing else is affected, and you can try again."
    assert name != "raises" or "RuntimeError: for the log" in caplog.text


@pytest.mark.parametrize("name", ["sleeps", "ignores", "has_child"])
def test_a_job_that_hangs(start, name):
    job = start(name, seconds=1.5)
    wait(lambda: name == "sleeps" or (job.folder / "ready").exists(), 20)
    began = time.monotonic()
    assert sentence(job) == "The test was stopped: it took longer than 1.5 seconds."
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["eats", "child_eats"])
def test_a_job_that_eats_memory(start, name):
    job = start(name, memory=300 * 2**20)
    assert sentence(job) == "The test was stopped: it needed more than 0.293 GB of memory."


def test_cancel_ends_a_job_and_what_it_has_started_at_once(start):
    job = start("has_child")
    wait((job.folder / "ready").exists)
    child = psutil.Process(int((job.folder / "child").read_text(encoding="utf-8")))
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < 0.9  # no grace is waited for
    assert not job.alive and not jobs._runs(child) and not job.folder.exists()
    job.cancel()
    assert sentence(job) == "The test was cancelled."


def test_a_job_that_ignores_the_request_is_killed(start):
    job = start("ignores")
    wait((job.folder / "ready").exists)
    job.cancel()
    assert job.process.returncode == -signal.SIGKILL and not job.folder.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe\x00", b"[]", b"null", b"3", b"[" * 4000, b'{"stage": 1}', b'{"stage": "a", "share": NaN}',
        b'{"stage": "a", "share": 1e999}', b'{"stage": "a", "share": []}', b'{"stage": "' + b"a" * 10_000_000,
    ],
    ids=range(11),
)  # fmt: skip
def test_progress_that_is_garbage(start, content):
    job = start("writes", {"of progress.json": content})
    wait((job.folder / "ready").exists)
    assert job.progress() == jobs.Progress("starting", 0.0)


def test_progress_out_of_range(start):
    job = start("writes", {"of progress.json": json.dumps({"stage": "a\n" * 900, "share": 7}).encode()})
    wait((job.folder / "ready").exists)
    assert job.progress().share == 1 and job.progress().stage == ("a " * 50)


class Evil:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


UNREADABLE = "The test ended with a result that cannot be read; nothing else is affected, and you can try again."


def test_a_result_that_is_garbage(start, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_RESULT", 10**6)
    trap = Evil(tmp_path / "unpickled")
    huge = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    contents = [
        b"", b"\xff" * 1000, pickle.dumps(trap), npz(a=np.array([trap], object)), npz(a=np.arange(9))[:-9],
        zipped("a.npy", pickle.dumps(trap)), zipped("a.npy", huge.ljust(128)), npz(a=np.zeros(10**6)),
        zipped("a.npy", bytes(10**7)), npz(b=np.zeros(1)),
    ]  # fmt: skip
    todo = [start("writes", {"of result.npz": content}, at_once=20, parse=lambda arrays: arrays["a"].sum())
            for content in contents]  # fmt: skip
    assert {sentence(job) for job in todo} == {UNREADABLE}
    assert not trap.path.exists()
    usable = start("writes", {"of result.npz": npz(a=np.ones(9))}, parse=lambda arrays: arrays["a"].sum())
    wait(lambda: not usable.alive)
    assert usable.result() == 9


def test_a_sentence_that_is_garbage(start):
    job = start("writes", {"of sentence": b"\xff\n" * 10_000_000})
    wait(lambda: not job.alive)
    with pytest.raises(jobs.JobError) as error:
        job.result()
    assert len(str(error.value)) == 500 and "\n" not in str(error.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_in_place_of_a_file_does_not_block(start):
    job = start("pipes")
    wait((job.folder / "ready").exists)
    assert job.progress().stage == "starting"
    assert "without a result" in sentence(job)


def test_jobs_of_one_module_are_limited_and_a_place_is_free_again_after_each_end(start):
    first, second = (start("sleeps", at_once=2) for _ in range(2))
    with pytest.raises(jobs.Busy, match="cannot start while 2 others run; try again in a minute"):
        start("sleeps", at_once=2)
    start("has_child", at_once=1)  # another module has places of its own
    first.cancel()
    start("sleeps", at_once=2)
    psutil.Process(second.process.pid).kill()
    wait(lambda: second not in jobs.Job._running)
    start("sleeps", at_once=2)


def test_a_result_that_nobody_fetches_is_removed(start, monkeypatch):
    monkeypatch.setattr(jobs, "RESULT_TTL", 0.2)
    job = start("exits")
    wait(lambda: not job.folder.exists())
    assert sentence(job) == "The test has ended; its result was not fetched within 0.2 seconds."


def test_a_job_that_cannot_be_started(start, monkeypatch, tmp_path):
    monkeypatch.setattr(jobs.tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(jobs.JobError, match="The test could not be started"):
        start("sleeps")
    monkeypatch.setattr(jobs.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        jobs.Job("job_sleeps", "The test", lambda folder: 1 / 0, dict, jobs.Limits(1, 1, 1))
    assert not list(tmp_path.glob("vae-job-*"))
    assert not [job for job in jobs.Job._running if job.module == "job_sleeps"]


PARENT = """
import os, sys, time
from vae import jobs
jobs.WINDOWS = sys.argv[1] == "True"
job = jobs.Job("job_waits", "The test", lambda folder: None, dict, jobs.Limits(600, 2**34, 1))
while job.progress().stage != "waiting":
    time.sleep(0.05)
print(job.process.pid, job.folder, sep="\\n", flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_job_whose_parent_is_killed_ends_itself(start):
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, str(jobs.WINDOWS)], cwd=ROOT, capture_output=True, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    pid, folder = parent.stdout.splitlines()
    wait(lambda: not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE)
    wait(lambda: not Path(folder).exists())


def test_a_child_ends_itself_at_its_limit_even_while_a_library_holds_the_interpreter(start, tmp_path):
    """The parent is stopped or busy; it is this test, which does not watch."""
    arguments = [sys.executable, "-m", "job_spins", str(tmp_path), str(os.getpid()), "0.1"]
    child = subprocess.run(arguments, cwd=ROOT, capture_output=True, timeout=60)
    assert child.returncode == 1 and b"Timeout (0:00:05" in child.stderr


def test_a_report_that_windows_refuses_while_the_parent_reads_is_left_to_the_next(tmp_path, monkeypatch):
    def refused(source, target):
        raise PermissionError

    report = jobs._Reporter(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refused)
        report("a", 0.1)
    assert not (tmp_path / jobs.PROGRESS).exists()
    report("b", 0.2)
    report("b", 0.3)  # too soon
    assert json.loads((tmp_path / jobs.PROGRESS).read_text(encoding="utf-8")) == {"stage": "b", "share": 0.2}


def test_the_report_of_a_part_is_within_that_of_the_whole():
    heard = []
    whole = jobs.part(lambda *reported: heard.append(reported), 0.5, 1.0)
    jobs.part(whole, 0.0, 0.5)("inner", 0.5)
    whole("outer", 1.0)
    assert heard == [("inner", 0.625), ("outer", 1.0)]
    jobs.part()("unheard", 0.0)


@pytest.mark.parametrize("windows", [False, True])
def test_a_parent_that_has_ended(monkeypatch, windows):
    monkeypatch.setattr(jobs, "WINDOWS", windows)
    assert not jobs.abandoned(psutil.Process().ppid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert jobs.abandoned(child.pid)  # younger than this process: it has the id of one that ended before
    child.communicate(b"\n")
    assert jobs.abandoned(child.pid)
