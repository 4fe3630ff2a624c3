"""udp_talk: datagrams that the server prints; `bye` ends it."""
import socket
import sys

for address in sys.argv[1:]:
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for message in ("hello", "你好", "\x1b[2J", "bye"):
            s.sendto(message.encode(), (host, int(port)))
