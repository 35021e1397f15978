"""What the search promises, with a box that passes up to a known rate. Needs no TRex."""
import unittest

import search


class Search(unittest.TestCase):
    def test_it_finds_the_limit_of_a_box_to_within_its_resolution(self):
        for limit in (1, 50, 333, 499.9, 990):
            trials = []

            def trial(rate, limit=limit, trials=trials):
                trials.append(rate)
                return rate <= limit

            found, behind = search.highest(trial, 1000, 0.001)
            self.assertTrue(limit - 1 <= found <= limit, f"{found} for {limit}")
            self.assertFalse(behind)
            self.assertLessEqual(len(trials), 11)

    def test_a_box_that_passes_everything_has_the_whole_rate_after_one_trial(self):
        trials = []
        self.assertEqual(search.highest(lambda rate: not trials.append(rate), 1000, 0.001), (1000, False))
        self.assertEqual(trials, [1000])

    def test_a_box_that_passes_nothing_has_no_rate(self):
        self.assertEqual(search.highest(lambda rate: False, 1000, 0.01), (None, False))

    def test_what_the_generator_cannot_send_is_said(self):
        def trial(rate):
            if rate > 600:
                raise search.Behind
            return True

        found, behind = search.highest(trial, 1000, 0.01)
        self.assertTrue(590 <= found <= 600 and behind, found)


if __name__ == "__main__":
    unittest.main()
