"""The node's rows: files by plain HTTP behind accounts, quotas and the journal, against nginx; and what stands by
itself: large folders, the journal, many accounts, a node that does nothing."""

import base64
import contextlib
import glob
import http.client
import json
import os
import shutil
import subprocess

from .contenders import Contender, Program, free_port
from .loads import Load, Rest, Wrk
from .rounds import Row

SOCKEYE = "target/release/sockeye"
EXAMPLES = "target/release/examples"
NAME, PASSWORD = "bench", "correct horse battery staple"
BASIC = "Authorization: Basic " + base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
AUTHORIZED = ("--header", BASIC)
SMALL, MIDDLE, LARGE = 1024, 100 * 1024, 1 << 30
MANY = 1_000_000
# The records of the journal's rows, and of how many accounts they are.
RECORDS, ACCOUNTS = 4_000_000, 100


def sockeye(*arguments, text=""):
    done = subprocess.run((SOCKEYE, *arguments), input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")


def node(folder, name, files=(), listeners=("http+tcp",), many=0, **settings):
    """A node with one account, which has these files in its home, and so many more in the folder `many`."""
    data = os.path.join(folder, "data-" + name.replace(" ", "-"))
    variables = {f"SOCKEYE_{key.upper()}": value for key, value in settings.items()}
    listen = (word for scheme in listeners for word in ("--listen", f"{scheme}://127.0.0.1:0"))
    serve = (SOCKEYE, "serve", "--data", data, *listen, "--json")

    @contextlib.contextmanager
    def ground():
        if not os.path.exists(data):
            fill(serve, data, files)
            if many:
                crowd(data, many)
        try:
            yield
        finally:
            if not files:
                shutil.rmtree(data)

    return Contender(name, serve, ground=ground, environment=tuple(variables.items()))


def fill(serve, data, files):
    """Makes the account, and puts files into its home as any client does."""
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            ready = json.loads(process.stdout.readline())
            sockeye("user", "add", NAME, "--password-stdin", "--data", data, text=PASSWORD)
            # Who puts files into /public has to be let.
            sockeye("user", "grant", NAME, "/public", "read,write,delete,list", "--data", data)
            plain = (it["address"] for it in ready["listeners"] if it["url"].startswith("http://"))
            upload(next(plain).split("://")[-1], files)
        finally:
            process.terminate()


def upload(address, files):
    """Puts files into a node, and makes the folders that they are in."""
    line = http.client.HTTPConnection(address, timeout=60)
    name, value = BASIC.split(": ")

    def ask(method, path, accepted, body=None, **fields):
        line.request(method, path, body=body, headers={name: value} | fields)
        answer = line.getresponse()
        answer.read()
        if answer.status not in accepted:
            raise RuntimeError(f"{method} {path}: {answer.status}")

    for folder in sorted({os.path.dirname(path) for path, _ in files} - {"/", "/public"}):
        ask("MKCOL", folder, (201,))
    for path, size in files:
        ask("PUT", path, (201, 204), Zeros(size), **{"Content-Length": str(size)})
    line.close()


def crowd(data, many):
    """Puts so many files into a folder of the account's home, which has one file already, and has the home counted."""
    (home,) = (os.path.dirname(file) for file in glob.glob(os.path.join(data, "homes/*/files/1k")))
    os.mkdir(os.path.join(home, "many"))
    folder = os.open(os.path.join(home, "many"), os.O_DIRECTORY)
    for number in range(many):
        os.close(os.open(f"report-{number:07}.txt", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=folder))
    os.close(folder)
    sockeye("store", "check", "--repair", "--data", data)


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


def journal(folder, name, cpus):
    """The journal alone: a thread that appends, and the journal's own."""
    command = (f"{EXAMPLES}/journal_rate", "--json", "--records", str(RECORDS), "--folder", os.path.join(folder, "log"))
    return Program(name, command, cpus=cpus, ground=lambda: without(os.path.join(folder, "log")))


@contextlib.contextmanager
def without(path):
    """Takes away what is made there."""
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)


def searching(folder):
    """`sockeye log --user` over as many records, one of a hundred of them that account's."""
    data = os.path.join(folder, "data-log")
    log = os.path.join(data, "journal")

    @contextlib.contextmanager
    def ground():
        if not os.path.exists(data):
            write = (f"{EXAMPLES}/journal_rate", "--records", str(RECORDS), "--folder", log)
            subprocess.run(write, stdout=subprocess.DEVNULL, check=True)
        yield

    command = (SOCKEYE, "log", "--user", "user7", "--json", "--data", data)
    return Program("sockeye log --user", command, amount=RECORDS, lines=RECORDS // ACCOUNTS, ground=ground)


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
            keeps=LARGE,
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
        # No bar: nginx makes nothing durable, and neither does a node in memory.
        Row(
            "the same, durable",
            empty,
            peer,
            put(*many, *AUTHORIZED),
            None,
            peer_load=put(*many, "--path", "/dav/"),
        ),
        *listings(folder),
        *journals(folder),
        *accounts(),
        *resting(folder),
    ]


def listings(folder):
    """A large folder, in both forms."""
    crowded = node(folder, "node with a large folder", (("/1k", SMALL),), many=MANY)
    for form, accept in (("HTML", "text/html"), ("JSON", "application/json")):
        load = Load(
            ("list", "--path", "/many/?all", "--entries", str(MANY), "--header", f"Accept: {accept}", *AUTHORIZED)
        )
        for name, bar, figure, unit in (
            ("first byte", 100, "first_byte_ms", "ms"),
            ("memory beyond what the node holds at rest", 64, "memory_mib", "MiB"),
            ("all of it", None, "total_s", "s"),
        ):
            name = f"{MANY:,} files listed as {form}, {name}"
            yield Row(name, crowded, None, load, bar, at_least=False, figure=figure, unit=unit)


def journals(folder):
    """The journal alone, in records a second of the wall's clock."""
    one, two = journal(folder, "journal, one processor", "0"), journal(folder, "journal, two processors", "0,1")
    searched = searching(folder)
    return [
        Row("journal, records written by one processor", one, None, None, 1e6, figure="write_per_s"),
        Row("journal, records written by two processors", two, None, None, 1e6, figure="write_per_s"),
        Row("journal, records looked through for an account's", one, None, None, 2e6, figure="scan_per_s"),
        Row("journal, records looked through by `log --user`", searched, None, None, 2e6),
    ]


def accounts():
    """Many accounts against few; the program takes turns with both by itself."""
    command = (f"{EXAMPLES}/accounts_scale", "--json", "--accounts", str(MANY))
    scale = Program("accounts", command)
    for name, figure in (
        (f"the list's first page, {MANY:,} accounts against 1,000", "first_page_ratio"),
        (f"a login, {MANY:,} accounts against 1,000", "login_ratio"),
        (f"of that finding the account, {MANY:,} against 1,000", "look_up_ratio"),
    ):
        bar = None if figure == "look_up_ratio" else 1.5
        yield Row(name, scale, None, None, bar, at_least=False, figure=figure, unit="×", rounds=1)


def resting(folder):
    """A node with a data folder that was there, over HTTP and HTTPS."""
    files, listeners = (("/1k", SMALL),), ("http+tcp", "http+tls+tcp")
    idle = node(folder, "node, two listeners", files, listeners)
    return [
        Row("idle node, resident memory", idle, None, Rest(), 40, False, "resident_mib", "MiB"),
        Row("idle node, from exec to ready", idle, None, Rest(), 200, False, "ready_ms", "ms"),
    ]
