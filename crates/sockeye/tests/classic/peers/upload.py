"""upload: `<name><SEPARATOR><size>`, the answer `ok`, the bytes; the second file breaks off."""
import socket
import sys

content = open("content.bin", "rb").read()


def begin(address, name, size):
    host, port = address.split(":")
    s = socket.create_connection((host, int(port)), timeout=20)
    s.sendall(f"{name}<SEPARATOR>{size}".encode())
    assert s.recv(1024) == b"ok"
    return s


for index, address in enumerate(sys.argv[1:]):
    with begin(address, f"/some/where/报告{index}.bin", len(content)) as s:
        s.sendall(content)
        assert s.recv(1024) == b""
    with begin(address, f"broken{index}", 100) as s:
        s.sendall(b"0123456789")
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1024) == b""
