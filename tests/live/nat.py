"""A small internet: the network of this program, where servers are, and homes behind NATs, each a
network namespace.  The NATs are of this file.  They have one port for whatever a port inside sends
to, and let in who was sent to, by address and port (RFC 4787 4.1 and 5): what most homes have.
"""
import concurrent.futures
import ctypes
import fcntl
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading

from peer import SKIPPED, need

PUBLIC = "198.51.100.1"
CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454CA, 0x1, 0x1000
TCP, UDP = 6, 17
CHECKSUMS = {TCP: 16, UDP: 6}  # Where they stand.
READY = "AHOY_TEST_NETWORK"


def enter():
    """Begins this program anew, as the root of a network of its own; where that is not permitted,
    it ends as skipped."""
    if READY in os.environ:
        return
    world = [need("unshare"), "--map-root-user", "--net"]
    probe = [*world, need("ip"), "tuntap", "add", "dev", "probe", "mode", "tun"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        print("skipped: network namespaces, or TUN devices in them, are not permitted here")
        sys.exit(SKIPPED)
    os.execve(world[0], [*world, sys.executable, *sys.argv], {**os.environ, READY: "1"})


def ip(words):
    subprocess.run([shutil.which("ip"), *words.split()], check=True)


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    ip(f"link set {name} up")
    return fd


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Packet:
    """One of IPv4 with ports; |protocol| is None where it is none."""

    def __init__(self, data):
        self.head = (data[0] & 15) * 4
        self.data = bytearray(data)
        self.protocol = data[9] if data[0] >> 4 == 4 and data[9] in CHECKSUMS else None

    def end(self, place):
        """Who it is from (0), or for (1): an address and a port."""
        address = socket.inet_ntoa(bytes(self.data[12 + 4 * place:16 + 4 * place]))
        return address, struct.unpack_from("!H", self.data, self.head + 2 * place)[0]

    def rewrite(self, place, end):
        self.data[12 + 4 * place:16 + 4 * place] = socket.inet_aton(end[0])
        struct.pack_into("!H", self.data, self.head + 2 * place, end[1])
        struct.pack_into("!H", self.data, 10, 0)
        struct.pack_into("!H", self.data, 10, checksum(bytes(self.data[:self.head])))
        at = self.head + CHECKSUMS[self.protocol]
        struct.pack_into("!H", self.data, at, 0)
        rest = bytes(self.data[self.head:])
        pseudo = bytes(self.data[12:20]) + struct.pack("!HH", self.protocol, len(rest))
        struct.pack_into("!H", self.data, at, checksum(pseudo + rest) or 0xFFFF)


class Home:
    """One host behind a NAT that others see as |outside|."""

    def __init__(self, inside, outside):
        self.inside, self.outside = inside, outside
        self.ports = {}     # Of the NAT, by protocol and who is inside.
        self.insides = {}   # The other way round.
        self.known = set()  # Which of its ports has sent to whom.
        self.link = None    # To another home.
        self.within = concurrent.futures.ThreadPoolExecutor(1)  # A thread in its network.
        self.fd = self.within.submit(self.open).result()

    def open(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        fd = open_tun("lan")
        ip("link set lo up")
        ip(f"addr add {self.inside}/24 dev lan")
        ip("route add default dev lan")
        return fd

    def open_link(self, address):
        """A further interface, for what is of its network alone."""
        self.link = self.within.submit(open_tun, "cable").result()
        self.run(f"addr add {address}/24 dev cable")

    def start(self, *command, **settings):
        """Starts a program there."""
        return self.within.submit(subprocess.Popen, command, **settings).result()

    def run(self, words):
        self.within.submit(ip, words).result()

    def close(self):
        for fd in (self.fd, *([] if self.link is None else [self.link])):
            os.close(fd)
        self.within.shutdown()

    def let_out(self, packet):
        who = (packet.protocol, *packet.end(0))
        port = self.ports.setdefault(who, 20000 + 7 * len(self.ports))
        self.insides[packet.protocol, port] = who[1:]
        self.known.add((packet.protocol, port, packet.end(1)))
        packet.rewrite(0, (self.outside, port))

    def let_in(self, packet):
        """Whether it is for somebody, and he is to get it."""
        port = packet.end(1)[1]
        if (packet.protocol, port, packet.end(0)) not in self.known:
            return False
        packet.rewrite(1, self.insides[packet.protocol, port])
        return True


class Internet:
    """Use it in a with statement.  |is_cut|: datagrams from home to home are lost.  |has_link|:
    there is a network of both homes, which leads nowhere else."""

    def __init__(self, has_link=False, count=2):
        self.is_cut, self.direct = False, 0  # How many datagrams went from home to home ...
        self.linked = 0                      # ... and by the network of both.
        ip("link set lo up")
        ip(f"addr add {PUBLIC}/32 dev lo")
        self.fd = open_tun("wan")
        self.homes = {}
        for i in range(count):
            home = Home(f"10.0.0.{2 + i}", f"198.51.100.{10 + i}")
            ip(f"route add {home.outside}/32 dev wan")
            self.homes[home.outside] = home
            if has_link:
                home.open_link(f"172.16.0.{2 + i}")
        self.stop = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.stop[1], b".")
        self.thread.join()
        for home in self.homes.values():
            home.close()
        for fd in (self.fd, *self.stop):
            os.close(fd)
        ip(f"addr del {PUBLIC}/32 dev lo")

    def run(self):
        homes = {home.fd: home for home in self.homes.values()}
        links = [home.link for home in self.homes.values() if home.link is not None]
        while True:
            ready = select.select([self.fd, self.stop[0], *homes, *links], [], [])[0]
            if self.stop[0] in ready:
                return
            for fd in ready:
                if fd in links:
                    os.write(links[1 - links.index(fd)], os.read(fd, 65536))
                    self.linked += 1
                    continue
                packet = Packet(os.read(fd, 65536))
                if packet.protocol is not None:
                    self.carry(packet, homes.get(fd))

    def carry(self, packet, sender):
        receiver = self.homes.get(packet.end(1)[0])
        if sender is not None:
            sender.let_out(packet)
        if receiver is None:
            os.write(self.fd, packet.data)
            return
        if sender is not None and packet.protocol == UDP:
            if self.is_cut:
                return
            self.direct += 1
        if receiver.let_in(packet):
            os.write(receiver.fd, packet.data)
