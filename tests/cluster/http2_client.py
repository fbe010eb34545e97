"""As much of an HTTP/2 client as it takes to annoy a gRPC server: it opens streams, sends frames that
are right or wrong, and reads or does not."""
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
END_STREAM, END_HEADERS = 1, 4
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags, stream, payload, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def field(number, value):
    """A protobuf field: bytes or text, or a number."""
    if isinstance(value, int):
        return bytes((number << 3,)) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return bytes((number << 3 | 2,)) + varint(len(value)) + value


def varint(value):
    out = b""
    while value > 0x7f:
        out += bytes((value & 0x7f | 0x80,))
        value >>= 7
    return out + bytes((value,))


class Client:
    def __init__(self, port, window=None):
        """`window`: how much the server may send on a stream before it is allowed more (never)."""
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        settings = b"" if window is None else struct.pack(">HI", INITIAL_WINDOW_SIZE, window)
        self.next_stream = 1
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        self.socket.sendall(data)

    def open(self, path):
        def header(name, value):
            return b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value   # literal, not indexed
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(frame(HEADERS, END_HEADERS, stream, b"".join((
            header(b":method", b"POST"), header(b":scheme", b"http"), header(b":path", path.encode()),
            header(b":authority", b"localhost"), header(b"te", b"trailers"), header(b"content-type", b"application/grpc")))))
        return stream

    def message(self, stream, body, length=None):
        """One gRPC message; `length` is what its prefix says."""
        self.send(frame(DATA, 0, stream, struct.pack(">BI", 0, len(body) if length is None else length) + body))

    def read_until_closed(self, seconds):
        """What the server says until it hangs up or the time is over."""
        said = b""
        self.socket.settimeout(seconds)
        try:
            while data := self.socket.recv(65536):
                said += data
        except OSError:
            pass
        return said

    def close(self):
        self.socket.close()
