from odoo.tests import BaseCase

from ..routing.waybill import build_number


class TestWaybillNumbers(BaseCase):
    def test_prefix_zeros_and_suffix(self):
        self.assertEqual(build_number(42, digits=8, prefix="YT"), "YT00000042")
        self.assertEqual(build_number(42, prefix="A", suffix="CN"), "A42CN")

    def test_check_digits_of_published_examples(self):
        # Luhn: the usual textbook number; S10: the example of the standard's own description; 7: air waybills.
        self.assertEqual(build_number(7992739871, check="luhn"), "79927398713")
        self.assertEqual(build_number(47312482, prefix="RR", suffix="GB", check="s10"), "RR473124829GB")
        self.assertEqual(build_number(1234567, digits=7, check="mod7"), "12345675")

    def test_too_long_a_number_is_refused(self):
        with self.assertRaises(ValueError):
            build_number(100, digits=2)
        with self.assertRaises(ValueError):
            build_number(100000000, check="s10")
