#!/usr/bin/env python3
"""Finds the highest rate of UDP packets at which the box loses none (RFC 2544, section 26.1).

Needs TRex in STL mode (`t-rex-64 -i`), and its interactive folder in PYTHONPATH. Port 0 is the clients', port 1 the servers'. One line a trial; the
last line is the result.
"""
import argparse
import time

from trex.stl.api import STLClient

import search
from profiles import udp

# The generator is late when a trial takes longer than it was to.
LATE = 1.02
SETTLE = 2.0


def run(client, sent_by, rate, seconds):
    """Sends at this rate from each of these ports, which have these streams; packets sent, packets received, and how long it took."""
    ports = sorted(sent_by)
    client.clear_stats()
    begun = time.monotonic()
    client.start(ports=ports, mult=f"{rate:.0f}pps", duration=seconds, force=True)
    client.wait_on_traffic(ports=ports, timeout=4 * seconds + 60, rx_delay_ms=int(SETTLE * 1000))
    took = time.monotonic() - begun - SETTLE
    groups = [stream.get_pg_id() for port in ports for stream in sent_by[port]]
    counts = client.get_pgid_stats(groups)["flow_stats"]
    sent, received = (sum(counts[group][way]["total"] for group in groups) for way in ("tx_pkts", "rx_pkts"))
    return sent, received, took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1")
    parser.add_argument("--flows", type=int, default=10_000)
    parser.add_argument("--size", default="64", help="bytes on the wire, or imix")
    parser.add_argument("--answers", action="store_true", help="servers send as well, so that connections are ESTABLISHED")
    parser.add_argument("--most", type=float, required=True, help="packets a second and direction to begin with: the line's rate")
    parser.add_argument("--seconds", type=int, default=60, help="length of a trial")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets that may be lost")
    parser.add_argument("--resolution", type=float, default=0.005, help="as a share of --most")
    asked = parser.parse_args()

    client = STLClient(server=asked.server)
    client.connect()
    try:
        ports = [0, 1] if asked.answers else [0]
        client.reset(ports=[0, 1])
        for port in (0, 1):
            if client.get_port_attr(port)["arp"] == "unresolved":
                raise SystemExit(f"port {port} does not know its gateway's address: is the box up?")
        tunables = ["--flows", str(asked.flows), "--size", asked.size]
        streams = {port: udp.register().get_streams(direction=port, tunables=tunables) for port in ports}
        for port in ports:
            client.add_streams(streams[port], ports=[port])
        # Every flow begins inside, slowly.
        run(client, {0: streams[0]}, min(asked.most / 10, 100_000), max(2, 2 * asked.flows // 100_000))

        def trial(rate):
            sent, received, took = run(client, streams, rate, asked.seconds)
            lost = 1 - received / sent if sent else 1
            print(f"{rate:.0f} packets a second: sent {sent}, lost {sent - received} ({lost:.6%}), took {took:.1f} s", flush=True)
            if took > LATE * asked.seconds + 1:
                raise search.Behind
            return lost <= asked.loss

        rate, behind = search.highest(trial, asked.most, asked.resolution)
    finally:
        client.disconnect()
    if rate is None:
        raise SystemExit("no rate passed")
    limit = ", the generator's limit" if behind else ""
    print(f"result: {rate:.0f} packets a second and direction, {asked.flows} flows, size {asked.size}{limit}")


if __name__ == "__main__":
    main()
