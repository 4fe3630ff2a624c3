"""upper: every chunk back with ASCII letters in upper case, until end of file."""
import socket
import sys

for address in sys.argv[1:]:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.sendall("hello, wörld 123 已送达".encode())
        first = s.recv(4096)
        s.sendall(b"\xff\x00z")
        s.shutdown(socket.SHUT_WR)
        rest = b"".join(iter(lambda: s.recv(4096), b""))
    assert first + rest == "HELLO, WöRLD 123 已送达".encode() + b"\xff\x00Z", first + rest
