"""download: a name; `0<SEPARATOR><size>` and the bytes, or `-1<SEPARATOR><name>文件不存在`."""
import socket
import sys
import time


def ask(address, name):
    """The first read, which a classic client takes for the header, and all the rest."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.sendall(name.encode())
        return s.recv(1024), b"".join(iter(lambda: s.recv(65536), b""))


content = open("content.bin", "rb").read()
for address in sys.argv[1:]:
    # On a busy machine this program may be woken too late: then the two come as one.
    deadline = time.monotonic() + 20
    while True:
        header, body = ask(address, "content.bin")
        assert header + body == b"0<SEPARATOR>%d" % len(content) + content
        if body == content:
            break
        assert time.monotonic() < deadline, "the header never came alone"
    assert ask(address, "空.txt") == (b"0<SEPARATOR>0", b"")
    for name in ("nothing", "../secret", "inner/../../secret", "/etc/passwd", "out", "pipe", "."):
        answer = b"".join(ask(address, name))
        assert answer == f"-1<SEPARATOR>{name}文件不存在".encode(), answer
