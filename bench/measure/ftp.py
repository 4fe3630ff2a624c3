"""FTP's rows: whole files with and without TLS, many small ones, logins, listings and idle sessions; against vsftpd, and against
pyftpdlib, which hashes no password."""

import contextlib
import dataclasses
import os
import re
import shutil
import subprocess
import sys

from .contenders import Contender, free_port
from .loads import Load
from .node import LARGE, NAME, PASSWORD, SMALL, node
from .rounds import Row
from .web import served

MANY = 10_000
CROWD = 100_000
IDLE = 2000
# Where uploads go.
INTO = "in"
# Of the machine, for what PAM is to check.
SYSTEM_USER = "sockeye-bench"


@dataclasses.dataclass(frozen=True)
class Curl:
    """curl, which fetches or sends one file over FTP with TLS on both connections."""

    path: str
    user: str
    upload: str = ""

    def command(self, address, _pid, _seconds):
        told = ("--write-out", "%{http_code} %{speed_download} %{speed_upload}")
        way = ("-T", self.upload) if self.upload else ("--output", "/dev/null")
        return ("curl", "-sk", "--ssl-reqd", "--ftp-create-dirs", *way, "--user", self.user, *told, f"ftp://{address}{self.path}")

    def parse(self, output):
        status, down, up = output.split()
        if status != "226":
            raise RuntimeError(f"curl: the server answered {status}")
        return {"megabytes_per_second": max(float(down), float(up)) / 1e6}


@dataclasses.dataclass(frozen=True)
class Lftp:
    """lftp, which mirrors a folder with four transfers at a time; timed from its start to its end. It asks both servers
    the same: vsftpd cannot be told a file's time, and refuses to be told its mode, so nobody is."""

    script: str
    user: str
    files: int

    def command(self, address, _pid, _seconds):
        alike = "; ".join(f"set ftp:use-{extra} no" for extra in ("feat", "site-utime", "site-utime2"))
        settings = f"{alike}; set ftp:ssl-allow no; set net:max-retries 1; set cmd:fail-exit yes"
        script = f"{settings}; open -u {self.user} ftp://{address}; {self.script}"
        return ("bash", "-c", 'TIMEFORMAT=%R; { time lftp -c "$1"; } 2>&1', "lftp", script)

    def parse(self, output):
        return {"per_second": self.files / float(re.search(r"([\d.]+)\s*$", output)[1])}


def who(name, password):
    return ("--user", name, "--password", password)


OURS, ANYBODY = who(NAME, PASSWORD), who("anonymous", "nobody@localhost")


def vsftpd(folder, name, files, tls=False):
    port = free_port()

    def command(work, _root):
        return ("vsftpd", os.path.join(work, "configuration"))

    # Nobody may write to the root of who is anonymous: uploads have a folder there.
    settings = {"writable": INTO, "PORT": port, "TLS": "YES" if tls else "NO"}
    return served(folder, name, "vsftpd.conf", command, files, **settings)(port)


def pyftpdlib(folder, name, files):
    port = free_port()

    def command(_work, root):
        return (sys.executable, "bench/peers/pyftpdlib_server.py", str(port), root, NAME, PASSWORD)

    return served(folder, name, None, command, files)(port)


@contextlib.contextmanager
def system_user():
    """An account of the machine with a hash as Debian makes them, for as long as it is needed."""
    hashed = subprocess.run(("mkpasswd", "-m", "yescrypt", PASSWORD), capture_output=True, text=True, check=True)
    how = ("--no-create-home", "--home-dir", "/", "--shell", "/bin/bash", "--password", hashed.stdout.strip())
    subprocess.run(("useradd", *how, SYSTEM_USER), check=True)
    try:
        yield
    finally:
        subprocess.run(("userdel", SYSTEM_USER), check=True)


def with_system_user(contender):
    @contextlib.contextmanager
    def ground():
        with system_user(), contender.ground():
            yield

    return dataclasses.replace(contender, name="vsftpd with PAM", ground=ground)


def tree(folder):
    """A folder of small files on this side, and where they are fetched to."""
    source = os.path.join(folder, "small")
    if not os.path.exists(source):
        os.mkdir(source)
        for number in range(MANY):
            with open(os.path.join(source, str(number)), "wb") as file:
                file.write(b"x" * 4096)
    fetched = os.path.join(folder, "fetched")
    shutil.rmtree(fetched, ignore_errors=True)
    return source, fetched


def rows(folder):
    large, crowd = (("1g", LARGE),), tuple((f"crowd/{number}", 16) for number in range(CROWD))
    small = tuple((f"small/{number}", 4096) for number in range(MANY))
    ftp = {"listeners": ("ftp+tcp", "http+tcp")}
    rate = {"figure": "megabytes_per_second", "unit": "MB/s"}
    ours = node(folder, "node by FTP", (("/1g", LARGE),), **ftp)
    empty = node(folder, "node by FTP for uploads", trash_keep="0s", **ftp)
    renaming = node(folder, "node by FTP that renames", trash_keep="0s", durability="rename", **ftp)
    filled = node(folder, "node by FTP with many files", tuple((f"/{name}", size) for name, size in small), **ftp)
    crowded = node(folder, "node by FTP with a large folder", (("/1k", SMALL),), many=CROWD, **ftp)
    peer, bare = vsftpd(folder, "vsftpd", large), vsftpd(folder, "vsftpd for uploads", ())
    secure = vsftpd(folder, "vsftpd with TLS", large, tls=True)
    source, fetched = tree(folder)
    upload = os.path.join(folder, "upload")
    with open(upload, "wb") as file:
        file.truncate(LARGE)

    def load(what, *more):
        return lambda account: Load(("ftp", what, *more, *account))

    def pair(name, ours, peer, made, bar, **how):
        return Row(name, ours, peer, made(OURS), bar, peer_load=made(ANYBODY), **how)

    yield pair("RETR of 1 GiB", ours, peer, load("get", "--path", "/1g"), 1.0, **rate)
    yield pair("STOR of 1 GiB", empty, bare, load("put", "--folder", INTO), 0.9, keeps=LARGE, **rate)
    mine, theirs = f"{NAME}:{PASSWORD}", "anonymous:nobody"
    yield Row("RETR of 1 GiB over TLS", ours, secure, Curl("/1g", mine), 1.3, peer_load=Curl("/1g", theirs), **rate)
    sends, peer_sends = (Curl(f"/{INTO}/up", user, upload) for user in (mine, theirs))
    yield Row("STOR of 1 GiB over TLS", empty, secure, sends, 1.3, peer_load=peer_sends, keeps=LARGE, **rate)
    login = load("login", "--count", "2000")
    pam = Load(("ftp", "login", "--count", "60", *who(SYSTEM_USER, PASSWORD)))
    yield Row("login, NLST, QUIT, 8 at a time", empty, with_system_user(bare), login(OURS), 20.0, peer_load=pam)
    python = pyftpdlib(folder, "pyftpdlib", ())
    yield Row("the same, against pyftpdlib", empty, python, login(OURS), 1.0)
    up, down = f"mirror -R --no-perms -P4 {source} {INTO}/small", f"mirror -P4 small {fetched}; !rm -r {fetched}"
    mine, theirs = f'{NAME},"{PASSWORD}"', "anonymous,nobody"
    for name, script, node_, other in (
        ("sent", up, renaming, bare),
        ("fetched", down, filled, vsftpd(folder, "vsftpd with many files", small)),
    ):
        name = f"{MANY:,} files of 4 KB {name} by lftp, four at a time"
        yield Row(name, node_, other, Lftp(script, mine, MANY), 1.0, peer_load=Lftp(script, theirs, MANY))
    entries = ("--entries", str(CROWD))
    listing = Load(("ftp", "list", "--path", "many", *entries, *OURS))
    slow = vsftpd(folder, "vsftpd with a large folder", crowd)
    theirs = Load(("ftp", "list", "--verb", "LIST", "--path", "crowd", *entries, *ANYBODY))
    yield Row(f"MLSD of {CROWD:,} files, against vsftpd's LIST", crowded, slow, listing, 2.0, peer_load=theirs)
    slow = pyftpdlib(folder, "pyftpdlib with a large folder", crowd)
    theirs = Load(("ftp", "list", "--path", "crowd", *entries, *OURS))
    yield Row(f"MLSD of {CROWD:,} files, against pyftpdlib's", crowded, slow, listing, 2.0, peer_load=theirs)
    rest = Load(("ftp", "idle", "--connections", str(IDLE), *OURS))
    yield Row(f"{IDLE:,} idle sessions, memory each", empty, None, rest, 16, at_least=False, figure="kib_each", unit="KiB")
