"""A TCP echo server on Python's socketserver.ThreadingTCPServer.

usage: threading_echo.py PORT     (0 takes any free port; prints `listening on 127.0.0.1:PORT`)
"""

import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    # The default of 5 would measure the kernel's retries.
    request_queue_size = 4096
    # Threads are not kept in a list to be joined at the end.
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Says nothing: formatting a traceback is not what is measured."""


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
        print("listening on %s:%d" % server.server_address, flush=True)
        server.serve_forever()
