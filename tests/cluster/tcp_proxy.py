"""A TCP proxy between two of our processes that a test can make slow, mute, deaf or gone."""
import ctypes
import socket
import threading
import time

TO_SERVER, TO_CLIENT = "to_server", "to_client"
CHUNK = 1 << 16
LIBC = ctypes.CDLL(None)


class Proxy:
    """Listens on a free loopback port (or on `listen`) and forwards to `target`, a port that may be
    set later. Faults hold for connections that exist and for new ones, until `heal`."""

    def __init__(self, target=None):
        self.target = target
        self.delay_seconds = 0.0
        self.stalled = set()            # directions in which nothing is forwarded
        self.refuses = False
        self.is_closed = False
        self.change = threading.Condition()
        self.sockets = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.spawn(self.accept)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def delay(self, seconds):
        """Every piece of data arrives that much later."""
        self.set(delay_seconds=seconds)

    def stall(self):
        """Nothing goes through in either direction; connections stay open."""
        self.set(stalled={TO_SERVER, TO_CLIENT})

    def half_open(self, direction):
        """Nothing goes through in one direction."""
        self.set(stalled={direction})

    def reset(self):
        """Breaks every connection with RST; new ones go through."""
        with self.change:
            broken, self.sockets = self.sockets, set()
        for one in broken:
            abort(one)

    def refuse(self):
        """Breaks every connection, also new ones."""
        self.set(refuses=True)
        self.reset()

    def heal(self):
        self.set(delay_seconds=0.0, stalled=set(), refuses=False)

    def close(self):
        self.set(is_closed=True)
        self.listener.shutdown(socket.SHUT_RDWR)   # wakes the thread that accepts
        self.listener.close()
        self.reset()
        for thread in self.threads:
            thread.join(5)

    def set(self, **values):
        with self.change:
            vars(self).update(values)
            self.change.notify_all()

    def spawn(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refuses or self.target is None:
                abort(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                abort(client)
                continue
            server.settimeout(None)
            with self.change:
                self.sockets |= {client, server}
            self.spawn(self.pump, client, server, TO_SERVER)
            self.spawn(self.pump, server, client, TO_CLIENT)

    def pump(self, source, sink, direction):
        try:
            while data := source.recv(CHUNK):
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                with self.change:
                    self.change.wait_for(lambda: direction not in self.stalled or self.is_closed)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            abort(source)
            abort(sink)
        with self.change:
            self.sockets.discard(source)


def abort(one):
    """Breaks a connection with RST, also where another thread reads: shutdown would send FIN, close
    would wait for the reader, so the connection is dissolved (connect to AF_UNSPEC)."""
    try:
        LIBC.connect(one.fileno(), bytes(16), 16)
    except OSError:
        pass
    one.close()
