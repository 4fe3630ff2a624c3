"""talk: each message is answered `已送达`; `q` ends the conversation, not the server."""
import socket
import sys

for address in sys.argv[1:]:
    host, port = address.split(":")
    for messages in (["hello", "你好"], ["again"], []):
        with socket.create_connection((host, int(port)), timeout=20) as s:
            for message in messages:
                s.sendall(message.encode())
                assert s.recv(1024).decode() == "已送达"
            s.sendall(b"q")
            assert s.recv(1024) == b""
