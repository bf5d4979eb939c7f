from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.oms_base.models import ir_cron

from .common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestCronSteps(OmsBaseCommon):
    """A job works its rows in steps that end soon: what is urgent waits for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = cls.env["res.partner"].create([{"name": f"Row {number}"} for number in range(200)])

    def setUp(self):
        super().setUp()
        self.now, self.parts, self.commits = 0.0, [], []

    def _work(self, seconds, rows=None, left=100, **kwargs):
        """Work rows that take so long each, by a clock of our own."""
        cron = self.env["ir.cron"]

        def work(part):
            self.parts.append(part)
            self.now += seconds * len(part)
            return len(part)

        def commit_progress(_cron, done=0, **_kwargs):
            self.commits.append(done)
            return left

        with (
            patch.object(ir_cron, "monotonic", lambda: self.now),
            patch.object(self.registry["ir.cron"], "_commit_progress", commit_progress),
        ):
            return cron._oms_work_in_steps(self.rows if rows is None else rows, work, **kwargs)

    def _get_sizes(self):
        return [len(part) for part in self.parts]

    def test_quick_rows_are_worked_in_full_batches(self):
        self.assertTrue(self._work(0.001))
        self.assertEqual(self._get_sizes(), [10, 50, 50, 50, 40])
        self.assertEqual(self.env["res.partner"].concat(*self.parts), self.rows)
        self.assertEqual(self.commits, self._get_sizes())

    def test_slow_rows_are_worked_in_small_ones(self):
        self.assertTrue(self._work(0.25, self.rows[:20]))
        self.assertEqual(self._get_sizes(), [10, 4, 4, 2])

    def test_row_slower_than_a_step_is_a_step(self):
        self.assertTrue(self._work(3, self.rows[:12]))
        self.assertEqual(self._get_sizes(), [10, 1, 1])

    def test_job_whose_time_is_over_ends(self):
        self.assertFalse(self._work(0.001, left=0))
        self.assertEqual(self._get_sizes(), [10])
        self.parts.clear()
        self.assertTrue(self._work(0.001, self.rows[:10], left=0), "all were reached")

    def test_size_of_a_part_has_a_limit(self):
        self.assertTrue(self._work(0.0, most=3, rows=self.rows[:7]))
        self.assertEqual(self._get_sizes(), [3, 3, 1])

    def test_nothing_to_do(self):
        self.assertTrue(self._work(1, self.rows.browse()))
        self.assertFalse(self.parts or self.commits)
