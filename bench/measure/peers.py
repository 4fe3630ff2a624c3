"""The peers, and the rows that compare them with one another.

Those rows are no one's bar: they say whether the harness still measures what others have measured,
before a figure of our own is believed.
"""

import sys

from .contenders import Contender
from .loads import Load
from .rounds import Row

EPOLL = Contender("C epoll", ("bench/built/epoll_echo", "0"))
BATCH = Contender("C recvmmsg, sendmmsg", ("bench/built/udp_batch", "0"))


def python(kind):
    return Contender(f"Python {kind}", (sys.executable, f"bench/peers/{kind}_echo.py", "0"))


THREADING = python("threading")
FORKING = python("forking")
UDP = python("udp")

ECHO = Load(("echo", "--connections", "64"))
CONNECT = Load(("connect", "--at-a-time", "16"))
DATAGRAMS = Load(("udp", "--clients", "64"))


def rows(_folder):
    return [
        Row("echo: threads against events", THREADING, EPOLL, ECHO, bar=0.5),
        Row("echo: processes against events", FORKING, EPOLL, ECHO, bar=0.4),
        Row("echo: events against themselves", EPOLL, EPOLL, ECHO, bar=0.97),
        Row("connect: threads against events", THREADING, EPOLL, CONNECT, bar=0.2),
        Row("connect: processes against threads", FORKING, THREADING, CONNECT, bar=0.05),
        Row("UDP: batches against one by one", BATCH, UDP, DATAGRAMS, bar=1.5),
    ]
