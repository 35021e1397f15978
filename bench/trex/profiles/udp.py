"""STL: UDP flows between clients (16.0.0.0/8, behind the first port) and servers (48.0.0.0/8, behind the second).

    start -f profiles/udp.py -m 100kpps --port 0 -t --flows 10000 --size 64
    start -f profiles/udp.py -m 10% --port 0 -t --size imix

Sizes are those on the wire, with their checksum. The second port sends the answers. Each stream has flow statistics: 10 and on from
the clients, 20 and on from the servers.
"""
import argparse

from trex.stl.api import (
    IP,
    UDP,
    Ether,
    STLFlowStats,
    STLPktBuilder,
    STLScVmRaw,
    STLStream,
    STLTXCont,
    STLVmFixIpv4,
    STLVmTupleGen,
    STLVmWrFlowVar,
)

# Bytes on the wire, and how many of them in twelve packets.
IMIX = ((64, 7), (594, 4), (1518, 1))
CHECKSUM = 4
SERVER = "48.0.0.1"
PORT = 5001
FIRST_PORT = 1025
# Clients, and ports of each, for so many flows.
FLOWS = {1: (1, 1), 10_000: (100, 100), 100_000: (100, 1000), 1_000_000: (1000, 1000)}


def address(number):
    """The client of this number, from 16.0.0.1 on."""
    number += (16 << 24) + 1
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def stream(size, weight, flows, direction, number):
    """Packets of one size, which visit all flows in turn."""
    clients, ports = FLOWS[flows]
    client, end = address(0), (PORT, FIRST_PORT)
    if direction == 0:
        base = Ether() / IP(src=client, dst=SERVER) / UDP(sport=end[1], dport=end[0], chksum=0)
    else:
        base = Ether() / IP(src=SERVER, dst=client) / UDP(sport=end[0], dport=end[1], chksum=0)
    fields = ("IP.src", "UDP.sport") if direction == 0 else ("IP.dst", "UDP.dport")
    tuples = STLVmTupleGen(
        name="client",
        ip_min=client,
        ip_max=address(clients - 1),
        port_min=FIRST_PORT,
        port_max=FIRST_PORT + ports - 1,
        limit_flows=flows,
    )
    program = STLScVmRaw(
        [
            tuples,
            STLVmWrFlowVar(fv_name="client.ip", pkt_offset=fields[0]),
            STLVmFixIpv4(offset="IP"),
            STLVmWrFlowVar(fv_name="client.port", pkt_offset=fields[1]),
        ]
    )
    packet = STLPktBuilder(pkt=base / (b"x" * (size - CHECKSUM - len(base))), vm=program)
    statistics = STLFlowStats(pg_id=10 * (1 + direction) + number)
    return STLStream(packet=packet, mode=STLTXCont(pps=weight), flow_stats=statistics)


class Profile:
    """What TRex loads."""

    def get_streams(self, direction=0, tunables=(), **_):
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--flows", type=int, default=10_000, choices=sorted(FLOWS))
        parser.add_argument("--size", default="64", help="64 to 1518 bytes, or imix")
        asked = parser.parse_args(list(tunables))
        sizes = IMIX if asked.size == "imix" else ((int(asked.size), 1),)
        return [stream(size, weight, asked.flows, direction, number) for number, (size, weight) in enumerate(sizes)]


def register():
    return Profile()
