"""A contender: a server process, pinned to the server's processor, and how it says that it is ready; or a program
that is measured by itself."""

import contextlib
import dataclasses
import json
import os
import select
import socket
import subprocess
import tempfile
import time
import typing

SERVER_CPU = 0
LOAD_CPU = 1
PATIENCE = 20  # seconds until a server has to be ready, and until it has to end


class Running(typing.NamedTuple):
    """A server that is ready: its process, where it listens, and the seconds from its start to its first line."""

    pid: int
    address: str
    ready: float


@dataclasses.dataclass(frozen=True)
class Program:
    """What is measured by itself, without a server and a load. It prints one line of JSON; or, if `amount` is given,
    is timed from its start to its end, and has done that much and printed so many lines.

    `ground` makes what it needs before each start, and takes it away after the end: a context manager.
    """

    name: str
    command: tuple
    cpus: str = str(SERVER_CPU)
    amount: int = 0
    lines: int = 0
    ground: object = contextlib.nullcontext


@dataclasses.dataclass(frozen=True)
class Contender:
    """A server to be measured. Without `address` its first line of output says where it listens.

    `ground` makes what it needs before each start, and takes it away after the end: a context manager.
    """

    name: str
    command: tuple
    address: str = ""
    ground: object = contextlib.nullcontext
    environment: tuple = ()

    @contextlib.contextmanager
    def running(self):
        """Runs the server; gives what is known of it."""
        with self.ground():
            yield from self.started()

    def started(self):
        complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        began = time.monotonic()
        process = subprocess.Popen(
            pinned(SERVER_CPU, self.command),
            env=os.environ | dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        try:
            try:
                address = self.address or announced(process)
                ready = time.monotonic() - began
                if self.address:
                    wait_for(address, process)
            except RuntimeError as error:
                complaints.seek(0)
                raise RuntimeError(f"{self.name} {error} {complaints.read()[-500:].strip()}") from error
            yield Running(process.pid, address, ready)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
            complaints.close()


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu), *command]


def announced(process):
    """The address in the ready line: `listening on ADDR`, or one line of JSON with listeners."""
    readable, _, _ = select.select([process.stdout], [], [], PATIENCE)
    line = process.stdout.readline() if readable else ""
    if line.startswith("{"):
        return host_and_port(json.loads(line)["listeners"][0]["address"])
    if line.startswith("listening on "):
        return host_and_port(line.removeprefix("listening on ").strip())
    raise RuntimeError(f"did not say that it is ready, but {line!r}")


def host_and_port(address):
    """Without the scheme and the query of sockeye's address grammar."""
    return address.split("://")[-1].split("?")[0]


def wait_for(address, process):
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"does not serve {address}: {error}") from error
            time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
