"""HTTP's own rows: what anybody may read, TLS, uploads in pieces and folders as archives; against nginx, and against
the file servers that can be installed here."""

import contextlib
import os
import shutil
import subprocess

from .contenders import Contender, free_port
from .loads import Browser, Curl, Load, Wrk
from .node import AUTHORIZED, BASIC, LARGE, MIDDLE, NAME, PASSWORD, SMALL, Zeros, node, put
from .rounds import Row

FILES = (("1k", SMALL), ("100k", MIDDLE), ("1g", LARGE))
MANY = 10_000


def configure(work, root, template, places):
    """Writes a peer's configuration, and a certificate if it names one."""
    with open(f"bench/peers/{template}", encoding="utf-8") as source:
        text = source.read()
    if "cert.pem" in text:
        key = os.path.join(work, "key.pem")
        certificate = os.path.join(work, "cert.pem")
        make = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        subject = ("-subj", "/CN=localhost", "-keyout", key, "-out", certificate)
        subprocess.run((*make, *subject), stderr=subprocess.DEVNULL, check=True)
    for place, value in ({"WORK": work, "ROOT": root} | places).items():
        text = text.replace(f"@{place}@", str(value))
    with open(os.path.join(work, "configuration"), "w", encoding="utf-8") as written:
        written.write(text)


def served(folder, name, template, command, files=FILES, writable="", **places):
    """A peer over a folder with these files and perhaps one that everybody may write to, and with the configuration in
    bench/peers/`template`, filled in."""
    work = os.path.join(folder, name.replace(" ", "-"))
    root = os.path.join(work, "root")

    @contextlib.contextmanager
    def ground():
        os.makedirs(root)
        if writable:
            os.mkdir(os.path.join(root, writable))
            os.chmod(os.path.join(root, writable), 0o777)
        for file, size in files:
            os.makedirs(os.path.dirname(os.path.join(root, file)), exist_ok=True)
            with open(os.path.join(root, file), "wb") as written:
                content = Zeros(size)
                while piece := content.read(1 << 20):
                    written.write(piece)
        if template:
            configure(work, root, template, places)
        try:
            yield
        finally:
            shutil.rmtree(work)

    return lambda port: Contender(name, command(work, root), address=f"127.0.0.1:{port}", ground=ground)


def nginx(folder, name, secure=False):
    plain, tls = free_port(), free_port()

    def command(work, _root):
        return ("nginx", "-p", work, "-c", os.path.join(work, "configuration"))

    made = served(folder, name, "nginx-http.conf", command, PORT=plain, TLS_PORT=tls)
    return made(tls if secure else plain)


def file_servers(folder):
    """Those of static-web-server and dufs that bench/run could install."""
    port = free_port()
    bind = {"static-web-server": ("-g", "error", "-a", "127.0.0.1"), "dufs": ("-b", "127.0.0.1")}
    tree = {"static-web-server": ("-d",), "dufs": ()}
    for name, options in bind.items():
        program = os.path.join("bench/built/bin", name)
        if os.path.exists(program):

            def command(_work, root, start=(program, *options, "-p", str(port), *tree[name])):
                return (*start, root)

            yield served(folder, name, None, command)(port)


def dav_servers(folder):
    """Those who serve WebDAV, each over the same small files, and what our rate is to be of theirs."""
    files = tuple((str(number), 16) for number in range(MANY))

    def nginx_dav(work, _root):
        return ("nginx", "-p", work, "-c", os.path.join(work, "configuration"))

    def apache(work, _root):
        return ("apache2", "-DFOREGROUND", "-f", os.path.join(work, "configuration"))

    def rclone(address):
        return lambda _work, root: ("rclone", "serve", "webdav", root, "--addr", address)

    for name, bar, template, command in (
        ("nginx dav-ext", 0.7, "nginx-dav.conf", lambda _: nginx_dav),
        ("Apache mod_dav", 3.0, "apache-dav.conf", lambda _: apache),
        ("rclone serve webdav", 3.0, None, rclone),
    ):
        port = free_port()
        made = served(folder, name, template, command(f"127.0.0.1:{port}"), files, PORT=port)
        yield made(port), bar


def get(path, count):
    return Load(("get", "--path", path, "--count", str(count)))


def rows(folder):
    public = tuple((f"/public/{name}", size) for name, size in FILES)
    ours = node(folder, "public node", public, public="true")
    secure = node(folder, "public node with TLS", public, listeners=("http+tls+tcp", "http+tcp"), public="true")
    many = node(folder, "node with many files", tuple((f"/{number}", 4096) for number in range(MANY)))
    tiny = node(folder, "node with tiny files", tuple((f"/{number}", 16) for number in range(MANY)))
    pieces = node(folder, "node for pieces", trash_keep="0s")
    whole = node(folder, "node for wholes", trash_keep="0s")
    peer = nginx(folder, "nginx for the web")
    rate = {"figure": "megabytes_per_second", "unit": "MB/s"}
    large = ("--connections", "1", "--count", "1", "--size", str(LARGE), *AUTHORIZED)
    small = Wrk("/public/1k", 64)
    yield Row("1 KB GET of what is public, 64 connections", ours, peer, small, 1.0, peer_load=Wrk("/1k", 64))
    for other in file_servers(folder):
        yield Row(f"the same, against {other.name}", ours, other, small, 1.0, peer_load=Wrk("/1k", 64))
    middle = Wrk("/public/100k", 64)
    yield Row("GET of 100 KB, public, 64 connections", ours, peer, middle, 0.9, peer_load=Wrk("/100k", 64))
    yield Row("GET of 1 GiB, public", ours, peer, get("/public/1g", 5), 0.9, peer_load=get("/1g", 5), **rate)
    yield Row(
        "GET of 1 GiB, public, over TLS",
        secure,
        nginx(folder, "nginx with TLS", secure=True),
        Curl("/public/1g"),
        1.0,
        peer_load=Curl("/1g"),
        **rate,
    )
    yield Row(
        "1 GiB in pieces of 8 MiB (tus), against one PUT",
        pieces,
        whole,
        Load(("tus", *large)),
        0.8,
        peer_load=put(*large),
        keeps=LARGE,
        **rate,
    )
    whose = Wrk("/", 1, (BASIC,), script="propfind.lua")
    for other, bar in dav_servers(folder):
        name = f"PROPFIND of {MANY:,} files, depth 1, all properties, against {other.name}"
        yield Row(name, tiny, other, whose, bar, peer_load=Wrk("/", 1, script="propfind.lua"))
    # No bar: nobody else's archives have a length before they are made.
    archive = Load(("get", "--path", "/?zip", "--count", "3", *AUTHORIZED))
    yield Row(f"a folder of {MANY:,} files of 4 KB as an archive", many, None, archive, 0.0, **rate)
    yield from pages(many)


def pages(many):
    """A large folder's page in a browser: how soon it is there, and whether it stutters."""
    if not shutil.which("chromium"):
        print("bench/run: chromium is not installed: the rows of the page are left out\n", flush=True)
        return
    load = Browser("/", NAME, PASSWORD)
    what = f"the page of {MANY:,} files in Chromium, nothing cached"
    for name, figure, bar in (
        (f"{what}: can be used", "usable_ms", 500.0),
        (f"{what}: has all of them", "complete_ms", None),
        (f"{what}: longest frame of 3 s of scrolling through them", "longest_frame_ms", 50.0),
    ):
        yield Row(name, many, None, load, bar, at_least=False, figure=figure, unit="ms", rounds=3)
    name = f"{what}: frames of these that came late"
    yield Row(name, many, None, load, 1.0, at_least=False, figure="late_frames_percent", unit="%", rounds=3)
