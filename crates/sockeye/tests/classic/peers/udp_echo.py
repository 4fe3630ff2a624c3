"""udp_echo: each datagram back unchanged."""
import os
import socket
import sys

for address in sys.argv[1:]:
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        for size in (1, 0, 1472, 60_000):
            data = os.urandom(size)
            s.sendto(data, (host, int(port)))
            assert s.recvfrom(65535) == (data, (host, int(port))), size
