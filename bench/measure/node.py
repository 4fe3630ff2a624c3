"""The node's rows: files by plain HTTP behind accounts, quotas and the journal, against nginx."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import subprocess

from .contenders import Contender, free_port
from .loads import Load, Wrk
from .rounds import Row

SOCKEYE = "target/release/sockeye"
NAME, PASSWORD = "bench", "correct horse battery staple"
BASIC = "Authorization: Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
AUTHORIZED = ("--header", BASIC)
SMALL, MIDDLE, LARGE = 1024, 100 * 1024, 1 << 30


def sockeye(*arguments, text=""):
    done = subprocess.run((SOCKEYE, *arguments), input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")


def node(folder, name, files=(), **settings):
    """A node with one account, which has these files in its home."""
    data = os.path.join(folder, "data-" + name.replace(" ", "-"))
    variables = {f"SOCKEYE_{key.upper()}": value for key, value in settings.items()}
    serve = (SOCKEYE, "serve", "--data", data, "--listen", "http+tcp://127.0.0.1:0", "--json")

    @contextlib.contextmanager
    def ground():
        if not os.path.exists(data):
            fill(serve, data, files)
        try:
            yield
        finally:
            if not files:
                shutil.rmtree(data)

    return Contender(name, serve, ground=ground, environment=tuple(variables.items()))


def fill(serve, data, files):
    """Makes the account, and puts files into its home as any client does."""
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        ready = json.loads(process.stdout.readline())
        sockeye("user", "add", NAME, "--password-stdin", "--data", data, text=PASSWORD)
        address = ready["listeners"][0]["address"].split("://")[-1]
        line = http.client.HTTPConnection(address, timeout=60)
        name, value = BASIC.split(": ")
        for path, size in files:
            line.request("PUT", path, body=Zeros(size), headers={name: value, "Content-Length": str(size)})
            answer = line.getresponse()
            answer.read()
            if answer.status not in (201, 204):
                raise RuntimeError(f"PUT {path}: {answer.status}")
        line.close()
        process.terminate()


class Zeros:
    """So many bytes, to be read piece by piece."""

    def __init__(self, size):
        self.left = size

    def read(self, most=1 << 16):
        length = min(most, self.left, 1 << 20)
        self.left -= length
        return b"0" * length


def nginx(folder, name="nginx"):
    """nginx with the configuration in bench/peers/nginx-node.conf, filled in."""
    work = os.path.join(folder, name)
    port = free_port()
    root = os.path.join(work, "root")

    @contextlib.contextmanager
    def ground():
        os.makedirs(os.path.join(root, "dav"))
        os.makedirs(os.path.join(root, "temp"))
        for file, size in (("1k", SMALL), ("100k", MIDDLE), ("1g", LARGE)):
            with open(os.path.join(root, file), "wb") as written:
                content = Zeros(size)
                while piece := content.read(1 << 20):
                    written.write(piece)
        with open("bench/peers/nginx-node.conf", encoding="utf-8") as template:
            text = template.read()
        for key, value in (("@WORK@", work), ("@ROOT@", root), ("@PORT@", str(port))):
            text = text.replace(key, value)
        with open(os.path.join(work, "nginx.conf"), "w", encoding="utf-8") as configuration:
            configuration.write(text)
        with open(os.path.join(work, "htpasswd"), "w", encoding="utf-8") as passwords:
            hashed = subprocess.run(
                ("openssl", "passwd", "-6", "-stdin"), input=PASSWORD, capture_output=True, text=True, check=True
            )
            passwords.write(f"{NAME}:{hashed.stdout.strip()}\n")
        try:
            yield
        finally:
            shutil.rmtree(work)

    command = ("nginx", "-p", work, "-c", os.path.join(work, "nginx.conf"))
    return Contender(name, command, address=f"127.0.0.1:{port}", ground=ground)


def put(*arguments):
    return Load(("put", *arguments))


def get(*arguments):
    return Load(("get", *arguments))


def rows(folder):
    files = (("/1k", SMALL), ("/100k", MIDDLE), ("/1g", LARGE))
    ours = node(folder, "node", files)
    silent = node(folder, "node without journal", files, journal_off="read list login refusal")
    empty = node(folder, "node for uploads", trash_keep="0s")
    renaming = node(folder, "node that renames", trash_keep="0s", durability="rename")
    peer = nginx(folder)
    small = Wrk("/1k", 64, (BASIC,))
    one = ("--connections", "1", "--count", "1", "--size", str(LARGE))
    many = ("--connections", "8", "--count", "10000", "--size", "4096")
    rate = {"figure": "megabytes_per_second", "unit": "MB/s"}
    return [
        Row("1 KB GET with Basic, 64 connections", ours, peer, small, 0.7, peer_load=Wrk("/1k", 64)),
        Row("the same, against auth_basic", ours, peer, small, 5.0, peer_load=Wrk("/auth/1k", 64, (BASIC,))),
        Row("the same, against itself without reads in the journal", ours, silent, small, 0.9),
        Row("GET of 100 KB, 64 connections", ours, peer, Wrk("/100k", 64, (BASIC,)), 0.6, peer_load=Wrk("/100k", 64)),
        Row(
            "GET of 1 GiB",
            ours,
            peer,
            get("--path", "/1g", "--count", "5", *AUTHORIZED),
            0.6,
            peer_load=get("--path", "/1g", "--count", "5"),
            **rate,
        ),
        Row(
            "PUT of 1 GiB",
            empty,
            peer,
            put(*one, *AUTHORIZED),
            0.9,
            peer_load=put(*one, "--path", "/dav/"),
            **rate,
        ),
        Row(
            "10,000 PUTs of 4 KB, 8 connections, renamed",
            renaming,
            peer,
            put(*many, *AUTHORIZED),
            1.0,
            peer_load=put(*many, "--path", "/dav/"),
        ),
        # No bar: nginx makes nothing durable.
        Row(
            "the same, durable",
            empty,
            peer,
            put(*many, *AUTHORIZED),
            0.0,
            peer_load=put(*many, "--path", "/dav/"),
        ),
    ]
