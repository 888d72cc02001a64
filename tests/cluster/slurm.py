"""A Slurm of one node with two pretend GPUs and accounting, from Debian's packages.

Everything lies in one scratch folder but the configuration, a symbolic link at its default path:
Snakemake's job steps drop the variables by which it could be found elsewhere.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

PACKAGES = "slurmctld slurmd slurm-client munge slurmdbd mariadb-server"
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "slurmdbd", "mariadbd", "mariadb-install-db")
FOLDER = Path("/tmp/ibpapers-slurm")
CONFIGURATION = Path("/etc/slurm")
LINKED = ("slurm.conf", "gres.conf")
PATIENCE = 60.0  # seconds until a daemon answers
CTLD_PORT, SLURMD_PORT, DBD_PORT, MARIADB_PORT = 17817, 17818, 17819, 17306
CPUS, MEMORY_MB, GPUS = 8, 16000, 2
READY = ("idle", "mixed", "allocated")

SLURM_CONF = """\
ClusterName=pretend
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ctld}
SlurmdPort={slurmd}
AuthType=auth/munge
# A job that is queued again waits for as long as credentials live.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
KillWait=10
MinJobAge=600
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill,UsePss
JobAcctGatherFrequency=task=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
TaskProlog={folder}/prolog
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=60
PartitionName=urgent Nodes={host} MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"""
# Many clusters give a job a folder on its node in this way.
PROLOG = """\
#!/bin/sh
mkdir -p {folder}/scratch/$SLURM_JOB_ID
echo export TMPDIR={folder}/scratch/$SLURM_JOB_ID
"""
# A mere count is refused: each needs a file.
GRES_CONF = "Name=gpu File=/dev/null,/dev/zero\n"
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""
ACCOUNTING = """
CREATE DATABASE IF NOT EXISTS slurm;
GRANT ALL ON slurm.* TO slurm@'127.0.0.1' IDENTIFIED BY 'slurm';
"""


def why_not() -> str | None:
    """Why no Slurm can be started here; None where one can."""
    if os.geteuid() != 0:
        return "a Slurm for the tests is started by root only"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not found; on Debian: apt-get install {PACKAGES}"
    for name in LINKED:
        path = CONFIGURATION / name
        if os.path.lexists(path) and not _is_ours(path):
            return f"this machine has a Slurm of its own ({path})"
    return None


class Slurm:
    """The daemons, in the order in which they start."""

    def __init__(self, folder: Path = FOLDER):
        self.folder = folder
        self.processes: dict[str, subprocess.Popen] = {}

    @contextmanager
    def running(self) -> Iterator["Slurm"]:
        """Nobody else uses it in the block; what an earlier one left behind is stopped first."""
        with FileLock(f"{self.folder}.lock", timeout=600):
            self._stop_leftovers()
            shutil.rmtree(self.folder, ignore_errors=True)
            try:
                self._configure()
                for name in ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd"):
                    self.start(name)
                yield self
            finally:
                for name in reversed(list(self.processes)):
                    self.stop(name)
                for name in LINKED:
                    if _is_ours(CONFIGURATION / name):
                        (CONFIGURATION / name).unlink()
                shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name: str) -> None:
        """Start a daemon; returns when it answers."""
        command = {
            "munged": (
                "munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key",
                f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed",
                "--num-threads=4",
            ),
            "mariadbd": (
                "mariadbd", "--no-defaults", "--user=root", f"--datadir={self.folder}/mariadb",
                f"--socket={self.folder}/mariadb.socket", f"--port={MARIADB_PORT}",
                "--bind-address=127.0.0.1", "--skip-name-resolve",
                f"--pid-file={self.folder}/mariadbd.pid",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
            ),
            "slurmdbd": ("slurmdbd", "-D"),
            "slurmctld": ("slurmctld", "-D"),
            "slurmd": ("slurmd", "-D"),
        }[name]  # fmt: skip
        answers = {
            "munged": lambda: (self.folder / "munge.socket").exists(),
            "mariadbd": self._prepare_database,
            "slurmdbd": lambda: _succeeds("sacctmgr", "-n", "list", "cluster"),
            "slurmctld": lambda: _succeeds("scontrol", "ping") and self._is_registered(),
            "slurmd": lambda: said("sinfo", "-h", "-p", "all", "-o", "%T") in READY,
        }[name]
        with (self.folder / f"{name}.output").open("w") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                env={**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")},
            )
        self.processes[name] = process
        pids = {name: process.pid for name, process in self.processes.items()}
        (self.folder / "pids.json").write_text(json.dumps(pids))
        ready = wait_for(answers, PATIENCE, unless=lambda: process.poll() is not None)
        if not ready:
            output = (self.folder / f"{name}.output").read_text()
            raise RuntimeError(f"{name} does not answer:\n{output}")

    def stop(self, name: str) -> None:
        """Stop a daemon by its process id; what runs on the node runs on."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _configure(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        # munged wants a folder that nobody else may write to.
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        facts = {
            "host": socket.gethostname().partition(".")[0], "folder": self.folder,
            "ctld": CTLD_PORT, "slurmd": SLURMD_PORT, "dbd": DBD_PORT, "mariadb": MARIADB_PORT,
            "cpus": CPUS, "memory": MEMORY_MB, "gpus": GPUS,
        }  # fmt: skip
        (self.folder / "slurm.conf").write_text(SLURM_CONF.format(**facts))
        (self.folder / "gres.conf").write_text(GRES_CONF)
        prolog = self.folder / "prolog"
        prolog.write_text(PROLOG.format(**facts))
        prolog.chmod(0o755)
        accounting = self.folder / "slurmdbd.conf"
        accounting.write_text(SLURMDBD_CONF.format(**facts))
        accounting.chmod(0o600)
        CONFIGURATION.mkdir(exist_ok=True)
        for name in LINKED:
            (CONFIGURATION / name).unlink(missing_ok=True)
            (CONFIGURATION / name).symlink_to(self.folder / name)
        database = (
            "mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db",
            f"--datadir={self.folder}/mariadb", "--auth-root-authentication-method=normal",
        )  # fmt: skip
        subprocess.run(database, check=True, capture_output=True)

    def _prepare_database(self) -> bool:
        socket = f"--socket={self.folder}/mariadb.socket"
        return _succeeds("mariadb", "--no-defaults", socket, "-u", "root", "-e", ACCOUNTING)

    def _is_registered(self) -> bool:
        """Whether accounting knows the cluster, without which it forgets its jobs."""
        return "pretend" in said("sacctmgr", "-n", "-P", "list", "cluster", "format=cluster")

    def _stop_leftovers(self) -> None:
        """The daemons of tests that were killed."""
        try:
            pids = json.loads((self.folder / "pids.json").read_text())
        except (OSError, ValueError):
            return
        for name, pid in pids.items():
            with suppress(OSError):
                if name in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, signal.SIGKILL)


def _is_ours(path: Path) -> bool:
    return path.is_symlink() and Path(os.readlink(path)).parent == FOLDER


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def said(*command: str) -> str:
    """What a command of Slurm says; nothing where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else ""


def wait_for(
    condition: Callable[[], object], seconds: float, unless: Callable[[], object] = lambda: False
) -> bool:
    """Whether `condition` came true within `seconds` (and before `unless` did)."""
    end = time.monotonic() + seconds
    while not condition():
        if unless() or time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
