"""ASTF: TCP connections, opened by clients in 16.0.0.0/8, that ask 50 bytes and are answered; both ends are TRex.

    start -f profiles/tcp.py -m 8000 -d 60 -t --answer 1000
    start -f profiles/tcp.py -m 4500 -d 60 -t --hold 10

The multiplier is connections a second. With --hold the server waits so many seconds before it answers: as many connections are open at once as
begin in that time.
"""
import argparse

from trex.astf.api import (
    ASTFIPGen,
    ASTFIPGenDist,
    ASTFIPGenGlobal,
    ASTFProfile,
    ASTFProgram,
    ASTFTCPClientTemplate,
    ASTFTCPServerTemplate,
    ASTFTemplate,
)

REQUEST = b"?" * 50
CLIENTS = ("16.0.0.0", "16.0.15.255")
SERVERS = ("48.0.0.0", "48.0.255.255")


class Profile:
    """What TRex loads."""

    def get_profile(self, tunables=(), **_):
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--answer", type=int, default=1000, help="bytes of an answer")
        parser.add_argument("--hold", type=float, default=0, help="seconds before it")
        asked = parser.parse_args(list(tunables))
        client, server = ASTFProgram(), ASTFProgram()
        client.send(REQUEST)
        client.recv(asked.answer)
        server.recv(len(REQUEST))
        if asked.hold > 0:
            server.delay(int(asked.hold * 1_000_000))
        server.send(b"!" * asked.answer)
        ends = [ASTFIPGenDist(ip_range=list(both), distribution="seq") for both in (CLIENTS, SERVERS)]
        addresses = ASTFIPGen(glob=ASTFIPGenGlobal(ip_offset="1.0.0.0"), dist_client=ends[0], dist_server=ends[1])
        template = ASTFTemplate(
            client_template=ASTFTCPClientTemplate(program=client, ip_gen=addresses, cps=1),
            server_template=ASTFTCPServerTemplate(program=server),
        )
        return ASTFProfile(default_ip_gen=addresses, templates=template)


def register():
    return Profile()
