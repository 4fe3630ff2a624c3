"""timestamp: `[<ctime>] <data>` for each chunk; the second kind of server appends the peer."""
import re
import socket
import sys
import time

plain, peer = (kind.split(",") for kind in sys.argv[1:])
for address in plain + peer:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        for data in ("hello", "世界"):
            s.sendall(data.encode())
            answer = s.recv(4096).decode()
            suffix = f" {s.getsockname()}" if address in peer else ""
            match = re.fullmatch(r"\[(.{24})\] (.*)", answer)
            assert match and match[2] == data + suffix, answer
            assert time.ctime(time.mktime(time.strptime(match[1]))) == match[1], answer
            assert abs(time.mktime(time.strptime(match[1])) - time.time()) < 60, answer
