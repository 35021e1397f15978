#!/usr/bin/env python3
"""Finds the highest rate of TCP connections, or how many can be open at once, with none that fails (RFC 3511 5.2 and 5.3, RFC 9411 7.2 and 7.5).

Needs TRex in ASTF mode (`t-rex-64 -i --astf`), and its interactive folder in PYTHONPATH. One line a trial; the last line is the result.
"""
import argparse
import time

from trex.astf.api import ASTFClient

import search
from profiles import tcp

# Share of the asked rate that the generator must have begun in the asked time.
SENT = 0.98
# What a client or a server counts when something went wrong.
FAULTS = ("tcps_conndrops", "tcps_drops", "tcps_rexmttimeo", "tcps_rcvbadsum", "udps_keepdrops")


def faults(side):
    """What went wrong at one side, by TRex's names."""
    names = [name for name in side if name in FAULTS or name.startswith("err_")]
    return {name: side[name] for name in names if side[name]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1")
    parser.add_argument("--open", action="store_true", help="how many can be open at once, instead of the rate")
    parser.add_argument("--answer", type=int, default=1000, help="bytes of an answer")
    parser.add_argument("--hold", type=float, default=60, help="with --open: seconds that each is held open")
    parser.add_argument("--most", type=float, required=True, help="connections a second (with --open: at once) to begin with")
    parser.add_argument("--seconds", type=int, default=60, help="length of a trial; with --open it is three times the hold")
    parser.add_argument("--resolution", type=float, default=0.01, help="as a share of --most")
    asked = parser.parse_args()
    hold = asked.hold if asked.open else 0
    seconds = int(3 * hold) if asked.open else asked.seconds
    unit = "open at once" if asked.open else "connections a second"

    client = ASTFClient(server=asked.server)
    client.connect()
    try:
        client.reset()
        client.load_profile(tcp.register().get_profile(tunables=["--answer", str(asked.answer), "--hold", str(hold)]))

        def trial(load):
            rate = max(1, round(load / hold if asked.open else load))
            client.clear_stats()
            begun = time.monotonic()
            client.start(mult=rate, duration=seconds)
            most_open = 0
            while time.monotonic() - begun < seconds:
                time.sleep(1)
                most_open = max(most_open, client.get_stats()["traffic"]["client"].get("m_active_flows", 0))
            client.wait_on_traffic(timeout=seconds + hold + 120)
            sides = client.get_stats()["traffic"]
            attempted, closed = (sides["client"].get(name, 0) for name in ("tcps_connattempt", "tcps_closed"))
            wrong = faults(sides["client"]) | faults(sides["server"])
            print(
                f"{load:.0f} {unit}: attempted {attempted}, ended well {closed}, open at once {most_open}, {wrong or 'no faults'}",
                flush=True,
            )
            if attempted < SENT * rate * seconds:
                raise search.Behind
            return not wrong and closed == attempted

        load, behind = search.highest(trial, asked.most, asked.resolution)
    finally:
        client.disconnect()
    if load is None:
        raise SystemExit("nothing passed")
    print(f"result: {load:.0f} {unit}" + (", the generator's limit" if behind else ""))


if __name__ == "__main__":
    main()
