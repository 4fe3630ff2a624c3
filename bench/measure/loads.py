"""The loads: how each is started on the load's processor, and what its output means."""

import dataclasses
import json
import mmap
import os
import re
import resource
import subprocess
import sys
import time

from .contenders import LOAD_CPU, PATIENCE, pinned

BENCH = "target/release/sockeye-bench"


@dataclasses.dataclass(frozen=True)
class Load:
    """A subcommand of sockeye-bench; its one line of JSON is the result."""

    arguments: tuple

    def command(self, address, pid, seconds):
        watches = self.arguments[0] in ("idle", "list") or self.arguments[:2] == ("ftp", "idle")
        timed = () if watches else ("--seconds", str(seconds))
        watched = ("--pid", str(pid)) if watches else ()
        return (BENCH, *self.arguments, "--addr", address, *timed, *watched)

    def parse(self, output):
        return json.loads(output)


@dataclasses.dataclass(frozen=True)
class Rest:
    """No load: what the server holds while nobody asks it for anything, as the kernel counts it."""

    def command(self, _address, pid, seconds):
        return ("sh", "-c", f"sleep {seconds}; grep ^Rss: /proc/{pid}/smaps_rollup")

    def parse(self, output):
        return {"resident_mib": int(re.search(r"^Rss:\s+(\d+) kB", output)[1]) / 1024}


@dataclasses.dataclass(frozen=True)
class Curl:
    """curl, which fetches one file over TLS and HTTP/1.1 and throws it away."""

    path: str

    def command(self, address, _pid, _seconds):
        told = ("--write-out", "%{http_code} %{speed_download}")
        return ("curl", "-sk", "--http1.1", "--output", "/dev/null", *told, f"https://{address}{self.path}")

    def parse(self, output):
        status, rate = output.split()
        if status != "200":
            raise RuntimeError(f"curl: the server answered {status}")
        return {"megabytes_per_second": float(rate) / 1e6}


@dataclasses.dataclass(frozen=True)
class Browser:
    """Chromium, which opens a folder's page as an account, and scrolls through it."""

    path: str
    name: str
    password: str

    def command(self, address, _pid, _seconds):
        return (sys.executable, "-m", "measure.chromium", address, self.path, self.name, self.password)

    def parse(self, output):
        return json.loads(output)


@dataclasses.dataclass(frozen=True)
class Wrk:
    """wrk, one thread, over HTTP/1.1 kept alive."""

    path: str
    connections: int
    headers: tuple = ()
    script: str = ""

    def command(self, address, _pid, seconds):
        shape = ("-t1", f"-c{self.connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "20s")
        fields = tuple(word for header in self.headers for word in ("-H", header))
        script = ("-s", f"bench/peers/{self.script}") if self.script else ()
        return ("wrk", *shape, *fields, *script, f"http://{address}{self.path}")

    def parse(self, output):
        trouble = re.search(r"(Non-2xx or 3xx responses: \d+|Socket errors: .*)", output)
        if trouble:
            raise RuntimeError(f"wrk: {trouble[1]}")
        micros = {"us": 1.0, "ms": 1e3, "s": 1e6}
        quantiles = re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", output, re.MULTILINE)
        result = {f"p{share}_us": float(value) * micros[unit] for share, value, unit in quantiles}
        return result | {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])}


def run(load, contender, seconds, keeps=0):
    """One measurement: a fresh server, one load, which makes the server keep so much in memory. The result also says what
    share of a processor the server used, and how long its start took."""
    with contender.running() as (pid, address, ready):
        command = pinned(LOAD_CPU, load.command(address, pid, seconds))
        touch(keeps + keeps // 4)
        began, before = time.monotonic(), processor_time(pid)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 120
        )
        after, ended = processor_time(pid), time.monotonic()
        if done.returncode != 0:
            raise RuntimeError(f"{contender.name}: {done.stderr.strip() or done.stdout.strip()}")
        result = load.parse(done.stdout)
    return result | {"busy": (after - before) / (ended - began), "ready_ms": ready * 1000}


def touch(length):
    """Uses so much memory and gives it back. The host of a virtual machine takes what is free for a second or two, and
    gives it page by page to whoever needs it first: so, right before a load."""
    if length:
        with mmap.mmap(-1, length) as memory:
            for start in range(0, length, mmap.PAGESIZE):
                memory[start] = 1


def run_alone(program):
    """One measurement of a program."""
    with program.ground():
        command = ["taskset", "-c", program.cpus, *program.command]
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30 * PATIENCE
        )
        took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{program.name}: {done.stderr.strip() or done.stdout.strip()}")
    if program.amount and (lines := done.stdout.count("\n")) != program.lines:
        raise RuntimeError(f"{program.name}: printed {lines} lines, not {program.lines}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result = {"per_second": program.amount / took} if program.amount else json.loads(done.stdout)
    return result | {"busy": used / took}


def processor_time(pid):
    """Seconds of processor time of a process and all its descendants, the dead ones included."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            # utime, stime, cutime, cstime; the name before them may contain anything.
            fields = stat.read().rpartition(")")[2].split()[11:15]
        children = []
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as listed:
                children += listed.read().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # ended meanwhile: its parent has counted it
    own = sum(int(field) for field in fields) / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_time(child) for child in children)
