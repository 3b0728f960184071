"""What stands between a program and the server that it speaks to by TCP, and lets it down."""
import socket
import threading
import time


class Relay:
    """Passes bytes on to |port| of loopback; use it in a with statement.  |delay|: seconds that
    each piece of them is held; None: they are swallowed.  With a |context| it is met by TLS."""

    def __init__(self, port, context=None):
        self.to, self.delay = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        if context is not None:
            self.listener = context.wrap_socket(self.listener, server_side=True)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        with near:
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            with far:
                back = threading.Thread(target=self.pass_on, args=(far, near), daemon=True)
                back.start()
                self.pass_on(near, far)
                back.join()

    def look(self, data, one, other):
        """What is done about a piece before it is passed on: nothing."""

    def pass_on(self, one, other):
        try:
            while data := one.recv(65536):
                time.sleep(self.delay or 0)
                self.look(data, one, other)
                if self.delay is not None:
                    other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Keeper(Relay):
    """Keeps the next piece that has |what| in it until it is told to |go|.  Where it |cuts|,
    whoever sent it sees his connection break."""

    def __init__(self, port):
        super().__init__(port)
        self.what, self.cuts = None, False
        self.kept, self.go = threading.Event(), threading.Event()
        self.way = None  # The port by which the piece comes, late.

    def look(self, data, one, other):
        what = self.what
        if what is None or what not in data:
            return
        self.what, self.way = None, other.getsockname()[1]
        if self.cuts:
            one.shutdown(socket.SHUT_RDWR)
        self.kept.set()
        self.go.wait()
