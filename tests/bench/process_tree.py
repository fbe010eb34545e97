"""Runs a command and measures all its processes, also those that outlive their parents."""
import ctypes
import dataclasses
import os
import pathlib
import re
import select
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass
class Run:
    seconds: float          # until the command itself ended
    cpu_seconds: float      # user and system, of all processes and threads
    total_mib: float        # most resident memory at a time, with file pages of libraries, sampled
    anonymous_mib: float    # the same without file pages
    stderr: str


def memory_of(pid):
    """Anonymous memory now and the peak of all resident memory, in MiB."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    found = [re.search(rf"^{key}:\s+(\d+) kB", text, re.M) for key in ("RssAnon", "VmHWM")]
    return tuple(int(match.group(1)) / 1024 if match else 0 for match in found)


def cpu_of(pid):
    """Seconds, user and system, of a process."""
    ticks = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def size_of(folder):
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def bind(pid, core):
    """All threads of a process, and those that they start, run on one core."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {core})


def children_of(pid):
    """Of all its threads; fewer where it is about to end."""
    children = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            children += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except OSError:
        pass
    return children


def descendants():
    """Of this process; orphans among them are its children."""
    found, open_pids = [], [os.getpid()]
    while open_pids:
        children = children_of(open_pids.pop())
        found += children
        open_pids += children
    return found


def memory_of_descendants():
    return tuple(map(sum, zip((0, 0), *map(memory_of, descendants()))))


def run(command, environment=None):
    """Runs a command until it and all its descendants have ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began = time.perf_counter()
    errors = tempfile.TemporaryFile()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
    ended = os.pidfd_open(child.pid)
    seconds = cpu = anonymous = total = 0
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid:
            cpu += usage.ru_utime + usage.ru_stime
            if pid == child.pid:
                seconds, child.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
            continue
        anonymous, total = map(max, (anonymous, total), memory_of_descendants())
        # Seldom: looking takes time from what is measured, which wants all cores.
        select.select([] if seconds else [ended], [], [], 0.02)
    os.close(ended)
    errors.seek(0)
    stderr = errors.read().decode(errors="replace")
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: status {child.returncode}\n{stderr}")
    return Run(seconds, cpu, total, anonymous, stderr)
