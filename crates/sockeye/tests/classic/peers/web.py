"""web: files, index.html, 404; nothing outside the folder, and no request ends the server."""
import http.client
import os
import socket
import sys


def get(address, path, method="GET"):
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.putrequest(method, path)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read()


def raw(address, data):
    """Sends what no library would; an answer or a close, both are fine."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: s.recv(4096), b""))
        except OSError:  # reset, in whichever call it is noticed
            return b""


HTML = "text/html; charset=utf-8"
for address in sys.argv[1:]:
    assert get(address, "/") == (200, HTML, b"<h1>index</h1>")
    assert get(address, "/inner/") == (200, HTML, b"<h1>inner</h1>")
    assert get(address, "/%E7%A9%BA.txt?x=1")[::2] == (200, b"")
    content = open("content.bin", "rb").read()
    assert get(address, "/content.bin") == (200, "application/octet-stream", content)
    assert get(address, "/", "HEAD") == (200, HTML, b"")
    assert get(address, "/", "POST")[0] == 405
    for path in ("/nothing", "/../secret", "/%2e%2e/secret", "/inner/..%2f..%2fsecret", "/out",
                 "//etc/passwd", "/pipe", "/a%00b", "/inner"):
        status, kind, body = get(address, path)
        assert (status, kind) == (404, HTML) and b"404" in body, (path, status)
    for garbage in (b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n",
                    b"GET /% HTTP/1.1\r\n\r\n", b"GET /%zz HTTP/1.1\r\n\r\n", b"x" * 1_000_000,
                    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000, os.urandom(4096)):
        assert not raw(address, garbage).startswith(b"HTTP/1.1 200"), garbage[:20]
    assert get(address, "/")[0] == 200
