"""How `make` shows Snakemake at work: a line when a job starts and one when it is done.

Found by Snakemake by its name (``snakemake --logger ibpapers``); Snakemake's own log in
``.snakemake/log`` stays complete.
"""

from __future__ import annotations

import logging
import sys
import time
from itertools import chain

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from ibpapers import workplace

LINES_OF_LOG = 20
CLUSTER_LOGS = "results/logs/slurm/"  # slurm-logdir of profiles/slurm


class LogHandler(LogHandlerBase):
    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.start = time.monotonic()
        self.names: dict[int, str] = {}
        self.started: dict[int, float] = {}
        self.done = self.total = 0

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        show = {
            LogEvent.RUN_INFO: self._run_info,
            LogEvent.JOB_INFO: self._job_info,
            LogEvent.JOB_FINISHED: self._job_finished,
            LogEvent.JOB_ERROR: self._job_error,
            LogEvent.PROGRESS: self._progress,
        }
        if event in show:
            show[event](record)
        elif getattr(record, "exception", None) == "RuleException" or workplace.is_stopping():
            pass  # of a job that failed or was stopped, which has been shown as such
        elif record.levelno >= logging.WARNING or "Nothing to be done" in str(record.msg):
            self._say(record.getMessage())

    def _run_info(self, record: logging.LogRecord) -> None:
        counts = {rule: n for rule, n in record.stats.items() if rule not in ("all", "total")}
        self.total = record.stats["total"]
        self._say(f"{self.total} jobs: {', '.join(f'{n} {rule}' for rule, n in counts.items())}")

    def _job_info(self, record: logging.LogRecord) -> None:
        if record.rule_msg:
            self.names[record.jobid] = record.rule_msg
            self.started[record.jobid] = time.monotonic()
            self._line(record.rule_msg)

    def _job_finished(self, record: logging.LogRecord) -> None:
        if record.job_id in self.names:
            seconds = time.monotonic() - self.started[record.job_id]
            self.done += 1
            self._line(f"{self.names[record.job_id]}: done in {seconds:.0f} s")

    def _progress(self, record: logging.LogRecord) -> None:
        self.done, self.total = record.done, record.total

    def _job_error(self, record: logging.LogRecord) -> None:
        name = self.names.get(record.jobid, record.rule_name)
        if workplace.is_stopping():
            lines = chain.from_iterable(map(_lines, record.log))
            saved = [line for line in lines if "stopped after" in line]
            self._line(f"{name}: {saved[-1] if saved else 'stopped'}")
            return
        reason, _, _ = (record.rule_msg or "").partition(". ")  # a cluster's
        self._line(f"{name}: FAILED ({reason})" if reason else f"{name}: FAILED")
        for path in record.log:
            self._say(f"The end of {path}:")
            lines = _lines(path)
            if CLUSTER_LOGS in path:  # the rest is Snakemake's, about the job
                lines = [line for line in lines if line.startswith(("slurm", "srun"))]
            self._say("\n".join(lines[-LINES_OF_LOG:]))

    def _line(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        width = len(str(self.total))
        self._say(f"{minutes:3d}:{seconds:02d}  [{self.done:{width}d}/{self.total}]  {text}")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError as error:
        return [str(error)]
