"""Read by every Python that the tests of Slurm start: it watches commands of jobs, and spoils some.

`$IBPAPERS_WATCHED` is a folder. A job notes in it what it was given. A file `<job>.fault` there
makes the job of that name, once, leave half a result and then fail in the way that it names.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def exit_1():
    os._exit(1)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def out_of_memory():
    # Written to, so that it is there. Not kept to the limit by a group of processes, the job is
    # killed when Slurm next looks.
    hold = [b"\1" * 3_000_000_000]
    while hold:
        signal.pause()


def out_of_time():
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    subprocess.run(["scontrol", "update", f"JobId={JOB}", "TimeLimit=1"], check=True)
    while True:
        signal.pause()


def cancelled():
    subprocess.run(["scancel", JOB], check=True)
    while True:
        signal.pause()


def held():
    """Goes on when somebody has written ``go``."""
    while not (WATCHED / "go").exists():
        time.sleep(0.1)


JOB = os.environ.get("SLURM_JOB_ID", "")
WATCHED = Path(os.environ.get("IBPAPERS_WATCHED", ""))
FAULTS = {f.__name__: f for f in (exit_1, kill, out_of_memory, out_of_time, cancelled, held)}


def watch(job: str) -> None:
    WATCHED.mkdir(exist_ok=True)
    names = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "SLURM_JOB_ID", "TMPDIR")
    (WATCHED / f"{job}.seen").write_text(json.dumps({n: os.environ.get(n) for n in names}))
    fault = WATCHED / f"{job}.fault"
    if fault.exists():
        kind, output = fault.read_text().split()
        fault.rename(fault.with_suffix(".done"))
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_bytes(b"half a result")
        FAULTS[kind]()


def ask_often() -> None:
    """The time between looks at jobs does not grow, as it does for the long jobs of real work."""
    from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

    RemoteExecutor.next_seconds_between_status_checks = property(
        lambda self: 3.0, lambda self, seconds: None
    )


match sys.orig_argv[1:]:
    case ["-m", "ibpapers", rule, name] if JOB:
        watch(f"{rule} {name}".replace("/", "_"))
    case ["-m", "snakemake", *_] if not JOB:
        ask_often()
