"""pyftpdlib over a folder, for one account with a password in plain text: `pyftpdlib_server.py PORT FOLDER NAME PASSWORD`."""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

port, folder, name, password = sys.argv[1:]
logging.basicConfig(level=logging.ERROR)
authorizer = DummyAuthorizer()
authorizer.add_user(name, password, folder, perm="elradfmwMT")
FTPHandler.authorizer = authorizer
FTPHandler.use_sendfile = True
server = FTPServer(("127.0.0.1", int(port)), FTPHandler)
server.max_cons = 10_000
server.max_cons_per_ip = 10_000
server.serve_forever(handle_exit=True)
