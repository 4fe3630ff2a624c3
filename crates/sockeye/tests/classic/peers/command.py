"""command: the output's size in bytes, any acknowledgement, the output."""
import socket
import sys


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect(path)
    return s


def run(s, command):
    s.sendall(command.encode())
    size = int(s.recv(1024))
    s.sendall(b"ready")
    output = b""
    while len(output) < size:
        output += s.recv(1024) or sys.exit("closed in the middle of the output")
    return output.decode()


for path in sys.argv[1:]:
    with connect(path) as s:
        assert run(s, "printf 'hello\n'") == "hello\n"
        assert run(s, "printf 你好") == "你好"
        assert run(s, "true") == "command error"
        assert run(s, "no-such-command 2>/dev/null") == "command error"
        assert len(run(s, "head -c 300000 /dev/zero")) == 300000
    for http in ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\ntouch broken", "GET /\r\n"):
        with connect(path) as s:
            s.sendall(http.encode())
            assert s.recv(1024) == b""
