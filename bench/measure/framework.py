"""The framework's rows: each model against the peer that does the same, and `sockeye serve DIR`."""

import os

from .contenders import Contender, free_port
from .loads import BENCH, Load, Wrk
from .peers import BATCH, CONNECT, DATAGRAMS, ECHO, EPOLL, FORKING, THREADING, UDP
from .rounds import Row


def ours(model, *options, scheme="tcp"):
    """The echo server on `sockeye`, under a model."""
    name = " ".join((model, *options)).replace("--resident ", "")
    return Contender(name, (BENCH, "server", "--model", model, "--addr", f"{scheme}://127.0.0.1:0", *options))


def nginx(folder, root):
    """nginx with the configuration in bench/peers, filled in."""
    port = free_port()
    with open("bench/peers/nginx.conf", encoding="utf-8") as template:
        text = template.read()
    for name, value in (("@WORK@", folder), ("@ROOT@", root), ("@PORT@", str(port))):
        text = text.replace(name, value)
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as configuration:
        configuration.write(text)
    return Contender("nginx", ("nginx", "-p", folder, "-c", path), address=f"127.0.0.1:{port}")


def rows(folder):
    root = os.path.join(folder, "site")
    os.mkdir(root, 0o755)
    with open(os.path.join(root, "1k.txt"), "wb") as file:
        file.write(b"0123456789abcde\n" * 64)
    serve = Contender(
        "serve DIR", ("target/release/sockeye", "serve", root, "--listen", "127.0.0.1:0", "--json")
    )
    single = Load(("connect", "--at-a-time", "1"))
    idle = Load(("idle", "--connections", "10000"))
    echo, connect = "echo, 64 B, 64 connections", "a connection per request, 16 at a time"
    return [
        Row(echo, ours("tasks"), EPOLL, ECHO, bar=0.95),
        Row(echo, ours("percore:1"), EPOLL, ECHO, bar=0.95),
        Row(echo, ours("threads:128"), THREADING, ECHO, bar=1.0),
        Row(echo, ours("pool:64"), THREADING, ECHO, bar=1.0),
        Row(connect, ours("percore:1"), EPOLL, CONNECT, bar=0.9),
        Row(connect, ours("threads:128"), THREADING, CONNECT, bar=2.0),
        Row(connect, ours("fork:128"), FORKING, CONNECT, bar=4.0, timed=False),
        Row(
            "fork, median time of a connection, large server against small",
            ours("fork:128", "--resident", "512"),
            ours("fork:128", "--resident", "8"),
            single,
            bar=1.2,
            at_least=False,
            figure="p50_us",
            unit="µs",
            timed=False,
        ),
        Row(
            "10,000 idle connections, resident memory each",
            ours("tasks"),
            None,
            idle,
            bar=4.0,
            at_least=False,
            figure="kib_each",
            unit="KiB",
        ),
        Row("UDP echo, 64 B, 64 clients", ours("tasks", scheme="udp"), UDP, DATAGRAMS, bar=3.0),
        # No bar of the project's: how near that row is to what the kernel lets any server do.
        Row("the same, against batches in C", ours("tasks", scheme="udp"), BATCH, DATAGRAMS, bar=0.9),
        Row("serve DIR, 1 KB file, 64 connections", serve, nginx(folder, root), Wrk("/1k.txt", 64), bar=1.0),
    ]
