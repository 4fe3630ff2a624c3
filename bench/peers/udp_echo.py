"""A UDP echo server on Python's socketserver.UDPServer.

usage: udp_echo.py PORT     (0 takes any free port; prints `listening on 127.0.0.1:PORT`)
"""

import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, socket = self.request
        socket.sendto(data, self.client_address)


class Server(socketserver.UDPServer):
    def handle_error(self, request, client_address):
        """Says nothing: formatting a traceback is not what is measured."""


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
        print("listening on %s:%d" % server.server_address, flush=True)
        server.serve_forever()
