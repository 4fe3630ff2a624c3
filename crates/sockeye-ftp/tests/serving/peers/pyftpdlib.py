"""Turns pyftpdlib's functional tests on another server: `pyftpdlib.py SOURCE HOME PASSWORD IPV4 IPV6 BOTH`.

SOURCE is pyftpdlib's unpacked source package, HOME the files of the account `user` and of whoever is anonymous, and the last
three the ports of the server on 127.0.0.1, on ::1 and on all addresses; 0 where the machine has no IPv6.

On standard input come the names of tests that are expected not to pass, one a line; they are not waited for as long as others. A line
of output for each test that is not skipped: its name, `pass`, `fail` or `inside`, and why, with tabs between. `inside` is a test
that reaches into pyftpdlib's own server: sets its options, replaces its parts, looks at its insides.
"""

import os
import sys
import unittest

source, home, password, *ports = sys.argv[1:]
ipv4, ipv6, both = map(int, ports)
known = set(sys.stdin.read().split())
os.chdir(home)
sys.path.insert(0, source)
import tests  # noqa: E402

PATIENCE = 30
IMPATIENCE = 2


class ReachedInside(Exception):
    """A test wants something of pyftpdlib's server that a client could not ask for."""


class Insides:
    """What stands for a part of pyftpdlib's server. Options may be set to what they are by default."""

    def __init__(self, name, **known):
        self.__dict__.update(_name=name, **known)

    def __getattr__(self, name):
        raise ReachedInside(f"{self._name}.{name}")

    def __setattr__(self, name, value):
        # What makes no difference to a client: how files are sent, and that any version of TLS will do.
        if name not in ("use_sendfile", "ssl_protocol") and getattr(TLS_FTPHandler, name, None) != value:
            raise ReachedInside(f"{self._name}.{name} = {value!r}")

    def __call__(self, *_, **__):
        raise ReachedInside(f"{self._name}()")

    def __mro_entries__(self, _):
        raise ReachedInside(f"class({self._name})")


class Server:
    """What stands for pyftpdlib's server in its tests."""

    def __init__(self, addr=("127.0.0.1", 0)):
        self.host = addr[0]
        self.port = {"127.0.0.1": ipv4, "::1": ipv6, "::": both}[self.host]
        self.handler = Insides("handler", proto_cmds=FTPHandler.proto_cmds)
        self.server = Insides("server")

    def start(self):
        pass

    def stop(self):
        pass


tests.PASSWD = password
tests.FtpdThreadWrapper = Server
tests.SUPPORTS_IPV6 = ipv6 != 0
# Each test gets a single chance, and a server that is slow gets time.
tests.NO_RETRIES = 1
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler  # noqa: E402
from tests import test_functional, test_functional_ssl  # noqa: E402

for part in ("AbstractedFS", "FTPServer", "IOLoop", "ThrottledDTPHandler", "get_server_handler", "patch"):
    setattr(test_functional, part, Insides(part))


def is_skipped(case):
    """Whether pytest would leave it out: its marks mean nothing to unittest."""
    method = getattr(type(case), case._testMethodName)
    marks = [mark for owner in (type(case), method) for mark in getattr(owner, "pytestmark", ())]
    return any(mark.name == "skip" or (mark.name == "skipif" and mark.args[0]) for mark in marks)


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


class Result(unittest.TestResult):
    """Keeps the first thing that went wrong with a test."""

    first = None

    def keep(self, kind, value, _):
        if self.first is None or issubclass(kind, ReachedInside):
            self.first = (kind, value)

    def addError(self, _, error):
        self.keep(*error)

    def addFailure(self, _, error):
        self.keep(*error)


def run(case, name):
    patience = IMPATIENCE if name in known else PATIENCE
    tests.GLOBAL_TIMEOUT = test_functional.GLOBAL_TIMEOUT = test_functional_ssl.GLOBAL_TIMEOUT = patience
    result = Result()
    case.run(result)
    if result.first is None:
        return "pass", ""
    kind, value = result.first
    text = " ".join(f"{kind.__name__}: {value}".split())
    return "inside" if issubclass(kind, ReachedInside) else "fail", text[:300]


load = unittest.defaultTestLoader.loadTestsFromModule
own = [case for module in (test_functional, test_functional_ssl) for case in cases(load(module))]
# The second module has the classes of the first as well.
by_name = {f"{type(case).__name__}.{case._testMethodName}": case for case in own}
for name, case in by_name.items():
    if not is_skipped(case):
        print(name, *run(case, name), sep="\t", flush=True)
