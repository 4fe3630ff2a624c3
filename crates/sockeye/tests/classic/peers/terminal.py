"""Runs a program at a terminal of 100 columns, and prints all that the terminal was sent."""
import fcntl
import os
import pty
import struct
import sys
import termios

pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    os.execve(sys.argv[1], sys.argv[1:], {**os.environ, "TERM": "xterm"})
try:
    while shown := os.read(terminal, 65536):
        sys.stdout.buffer.write(shown)
except OSError:  # the program has ended, and with it the terminal
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
