"""echo: bytes back unchanged."""
import os
import socket
import sys
import threading

for address in sys.argv[1:]:
    host, port = address.split(":")
    data = os.urandom(1 << 20)
    with socket.create_connection((host, int(port)), timeout=20) as s:
        send = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
        send.start()
        back = b"".join(iter(lambda: s.recv(65536), b""))
        send.join()
    assert back == data, len(back)
