"""What an idle connection takes of the server's memory: many are opened, each proves that it may
stay, and then says nothing more."""
import os
import re
import resource
import socket
import ssl
import subprocess


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=bench.example", "-addext",
         "subjectAltName=DNS:bench.example,IP:127.0.0.1", "-keyout", "key.pem", "-out",
         "certificate.pem"], cwd=folder, check=True, capture_output=True)


def config(transport, port):
    pair = ', { certificate = "certificate.pem", key = "key.pem" }' if transport == "tls" else ""
    return f"""listen("{transport}:127.0.0.1:{port}"{pair})
domain("bench.example", {{ auth = "none" }})
store "memory:"
workers(1)
"""


def rss(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024


def request(transport, number):
    return (f"REGISTER sip:bench.example SIP/2.0\r\nVia: SIP/2.0/{transport.upper()} "
            f"127.0.0.1;branch=z9hG4bKidle{number}\r\nFrom: <sip:u@bench.example>;tag=1\r\n"
            f"To: <sip:u@bench.example>\r\nCall-ID: idle-{number}\r\nCSeq: 1 REGISTER\r\n"
            f"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()


def open_one(transport, port, number, context):
    """A connection that stands and is trusted, as a file descriptor: what TLS keeps on this side
    is of no more use."""
    connection = socket.create_connection(("127.0.0.1", port))
    if transport == "tls":
        connection = context.wrap_socket(connection)
    connection.sendall(request(transport, number))
    if b" 200 " not in connection.recv(4096)[:20]:
        raise SystemExit("bench: a connection was refused")
    return connection.detach()


def allow_files(count):
    """Lets this process and those that it starts hold |count| connections."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if 0 <= most < count + 500:
        raise SystemExit(f"bench: {count} connections need more than the {most} files that a "
                         "process may open here; ask for fewer with --connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 500, most))


def measure(server, transport, port, count):
    """Bytes a connection, once |count| of them idle."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    held = [open_one(transport, port, number, context) for number in range(100)]
    server.trim()
    before = rss(server.process.pid)
    held += [open_one(transport, port, number, context) for number in range(100, 100 + count)]
    server.trim()
    after = rss(server.process.pid)
    for connection in held:
        os.close(connection)
    return (after - before) / count
