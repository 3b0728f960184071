#!/usr/bin/env python3
"""The screen of `ahoy call` and `ahoy answer` on terminals of tmux: two phones and a server, and
all that is done is done by keys.

test_screen.py BUILD
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from peer import Ahoyd, free_port, need, until

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
TMUX = need("tmux")


class Terminal:
    """A shell on a terminal of its own, by whose prompt one sees that a program has ended."""

    def __init__(self, case, name, columns=100, rows=30):
        self.tmux = [TMUX, "-u", "-S", case.path / f"{name}.tmux", "-f", "/dev/null"]
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", case.path,
                 "env", "PS1=ended $? ", "NO_COLOR=1", "ENV=", "sh", "-i")
        case.addCleanup(self.close)
        self.ended(0)

    def close(self):
        """As who closes a window."""
        subprocess.run([*self.tmux, "kill-server"], capture_output=True, check=False)

    def run(self, *words):
        return subprocess.run([*self.tmux, *words], check=True, capture_output=True,
                              text=True).stdout

    def press(self, *keys):
        self.run("send-keys", *keys)

    def type(self, text):
        self.run("send-keys", "-l", text)
        self.press("Enter")

    def shown(self):
        return self.run("capture-pane", "-p")

    def wait_for(self, pattern):
        """Until what is shown has it; returns all that is."""
        until(lambda: re.search(pattern, self.shown()), f"{pattern} on\n{self.shown()}")
        return self.shown()

    def ended(self, code):
        """The program that was started has; what is shown then."""
        return self.wait_for(rf"(?m)^ended {code}$")

    def is_plain(self):
        """Whether the terminal is as it was: a line that is typed is seen, and read as a line."""
        self.type("stty -a")
        shown = self.wait_for(r"(?m)stty -a[\s\S]*^ended 0$")
        return re.search(r"[^-]icanon", shown) and re.search(r"[^-]echo ", shown)


class Screen(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
listen "tcp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "none").write_text("none\n")

    def ahoy(self, terminal, user, verb, *more, transport="udp", behind=""):
        """Starts a phone there, whose process is in the file USER.pid."""
        (self.path / user).write_text(
            f"echo $$ >{user}.pid\nexec {AHOY} {verb} --user {user}@atlanta.example"
            f" --password-file none --server 'sip:127.0.0.1:{self.port};transport={transport}'"
            f" {' '.join(more)}\n")
        terminal.type(f"clear; sh {user}{behind}")

    def answering(self, name, *more, terminal=None):
        terminal = terminal or Terminal(self, name)
        self.ahoy(terminal, name, "answer", *more)
        shown = terminal.wait_for(f"^{name}@atlanta.example  registered\n")
        self.assertIn("no call", shown)
        return terminal

    def test_call(self):
        bob = self.answering("bob", "--play", "tone:660")
        alice = Terminal(self, "alice")
        self.ahoy(alice, "alice", "call", "bob@atlanta.example", transport="tcp")
        alice.wait_for("> ringing  sip:bob@atlanta.example")
        # It rings until somebody answers.
        self.assertRegex(bob.wait_for("> incoming"), "> incoming  .*alice@atlanta.example")
        bob.press("a")
        bob.wait_for(r"> talking 0:\d\d  .*alice@atlanta.example")
        alice.wait_for(r"> talking 0:\d\d  .*bob@atlanta.example")
        alice.wait_for(r"codec +\S+, sendrecv[\s\S]*we hear +\[#{15,}-+\] +-1\d dBov")
        alice.wait_for(r"packets +\d+ sent, [1-9]\d* received, \d\.\d % lost\n"
                       r" +quality +jitter .*, delay .*, MOS")
        bob.press("m")
        bob.wait_for("we say .*muted")
        alice.wait_for(r"we hear +\[-{20}\] +-[6-9]\d dBov")
        bob.press("m")
        alice.press("h")
        alice.wait_for("> on hold")
        bob.wait_for("> held by the other side")
        alice.press("h")
        alice.wait_for("> talking")
        bob.wait_for("> talking")
        alice.press("4", "#")
        bob.wait_for(r"digits +4#")
        self.assertIn("dialled 4", alice.shown())
        alice.press("l")
        ladder = alice.wait_for("<--- 200 OK")
        self.assertRegex(ladder, r"\d\.\d{3} ---> INVITE sip:bob@atlanta.example[\s\S]*"
                                 r"\d\.\d{3} <--- 180 Ringing \(1 INVITE\)")
        alice.press("e")
        # Afterwards there is what was printed, as without a screen.
        shown = alice.ended(0)
        self.assertRegex(shown, r"calling sip:bob@[\s\S]*ringing\nanswered: [\s\S]*"
                                r"heard: 6[56]\d Hz[\s\S]*\nended by us")
        self.assertTrue(alice.is_plain())
        bob.wait_for("no call")
        bob.press("q")
        self.assertIn("unregistered bob", bob.ended(0))
        self.assertTrue(bob.is_plain())

    def test_declined(self):
        bob = self.answering("bob")
        alice = Terminal(self, "alice")
        self.ahoy(alice, "alice", "call", "bob@atlanta.example")
        bob.wait_for("> incoming")
        bob.press("d")
        self.assertIn("not answered: 486", alice.ended(3))

    def test_transfer(self):
        """Typed, and done: whoever hands on is out of it."""
        bob = self.answering("bob", "--accept-transfers")
        carol = self.answering("carol", "--ring", "0")
        alice = Terminal(self, "alice")
        self.ahoy(alice, "alice", "call", "bob@atlanta.example")
        bob.wait_for("> incoming")
        bob.press("a")
        alice.wait_for("> talking")
        alice.press("t")
        alice.wait_for("to whom\\? _")
        alice.type("nobody@atlanta.example")
        alice.wait_for("not transferred: 404")
        alice.wait_for("> talking")  # The call is still there.
        alice.press("t")
        alice.type("carol@atlanta.example")
        self.assertIn("\ntransferred\n", alice.ended(0))
        carol.wait_for("> talking .*bob@atlanta.example")
        bob.wait_for("> talking .*carol@atlanta.example")

    def test_sizes(self):
        """A window that is made narrow, low, and large again."""
        bob = self.answering("bob")
        for columns, rows in ((24, 6), (100, 30)):
            bob.run("resize-window", "-x", str(columns), "-y", str(rows))
            until(lambda: len(bob.shown().rstrip("\n").split("\n")) == rows and
                  "quit" in bob.shown().rstrip("\n").split("\n")[-1], f"{rows} rows")
        self.assertIn("bob@atlanta.example  registered", bob.shown())

    def test_whatever_happens(self):
        """However the program ends, the terminal is given back."""
        bob = Terminal(self, "bob")
        for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGABRT, signal.SIGSEGV):
            self.answering("bob", terminal=bob)
            os.kill(int((self.path / "bob.pid").read_text()), wish)
            code = 0 if wish in (signal.SIGINT, signal.SIGTERM) else 128 + wish
            self.assertIn("registered bob", bob.ended(code))
            self.assertTrue(bob.is_plain())

    def test_window_closed(self):
        """That hangs up."""
        bob = self.answering("bob", "--ring", "0")
        alice = Terminal(self, "alice")
        self.ahoy(alice, "alice", "call", "bob@atlanta.example")
        alice.wait_for("> talking")
        bob.wait_for("> talking")
        alice.close()
        self.assertIn("ended by the peer", bob.wait_for("no call"))

    def test_no_terminal(self):
        """What is no terminal gets lines, and calls are answered by themselves."""
        bob = Terminal(self, "bob")
        self.ahoy(bob, "bob", "answer", "--once", behind=" | cat")
        bob.wait_for("registered bob@atlanta.example at")
        alice = Terminal(self, "alice")
        self.ahoy(alice, "alice", "call", "bob@atlanta.example", "--for", "0",
                  behind=" | cat")
        self.assertRegex(alice.ended(0), "ringing\nanswered: .*\n")
        bob.ended(0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
