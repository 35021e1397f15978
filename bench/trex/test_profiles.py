"""The profiles load, and are what they say. Needs TRex's interactive folder in PYTHONPATH."""
import json
import unittest

from profiles import tcp, udp


class Profiles(unittest.TestCase):
    def test_udp_has_the_sizes_and_flow_statistics_that_were_asked(self):
        for direction in (0, 1):
            for flows in udp.FLOWS:
                streams = udp.register().get_streams(direction=direction, tunables=["--flows", str(flows)])
                self.assertEqual([stream.get_pkt_len() for stream in streams], [64])
            streams = udp.register().get_streams(direction=direction, tunables=["--size", "imix"])
            self.assertEqual([stream.get_pkt_len() for stream in streams], [64, 594, 1518])
            self.assertEqual([stream.get_pg_id() for stream in streams], [10 * direction + number for number in (10, 11, 12)])

    def test_tcp_holds_only_when_asked(self):
        def says(*tunables):
            profile = tcp.register().get_profile(tunables=list(tunables))
            return json.dumps(json.loads(profile.to_json_str()))

        self.assertIn("10000000", says("--hold", "10"))
        self.assertNotIn("10000000", says())


if __name__ == "__main__":
    unittest.main()
