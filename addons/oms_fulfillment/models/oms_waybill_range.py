from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..routing.waybill import build_number


class OmsWaybillRange(models.Model):
    """A block of waybill numbers that a carrier gave us.

    The counter is a database sequence and not a locked row: numbers are taken in the long transactions that label and
    ship, and Odoo's isolation level fails every transaction that waited for a row another one changed. What a
    rolled back transaction took is found missing a day later and comes back, see `_cron_reclaim_numbers`.
    """

    _name = "oms.waybill.range"
    _description = "Waybill Number Range"
    _inherit = ["mail.thread"]
    _order = "carrier_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name")
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10, help="The lowest one with numbers left is used first.")
    carrier_id = fields.Many2one(
        "delivery.carrier",
        required=True,
        index=True,
        ondelete="restrict",
        domain=[("delivery_type", "=", "oms_waybill")],
        check_company=True,
    )
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        index="btree_not_null",
        check_company=True,
        help="Only for parcels of this warehouse. Leave empty for all warehouses.",
    )
    prefix = fields.Char(help="Stands before every number.")
    suffix = fields.Char(help="Stands behind every number and its check digit.")
    digits = fields.Integer(default=12, help="The running number is filled with zeros to this length.")
    check_digit = fields.Selection(
        [("none", "None"), ("luhn", "Modulus 10 (Luhn)"), ("mod7", "Modulus 7"), ("s10", "Postal Union S10")],
        required=True,
        default="none",
        help="As agreed with the carrier. S10 numbers have eight digits.",
    )
    # Carriers' numbers are longer than a database integer.
    first = fields.Char(string="First Number", required=True, help="Without prefix and check digit.")
    last = fields.Char(string="Last Number", required=True)
    counter_id = fields.Many2one("ir.sequence", readonly=True, copy=False, ondelete="restrict")
    free_ids = fields.One2many("oms.waybill.number", "range_id", string="Recycled Numbers", readonly=True)
    remaining = fields.Integer(string="Numbers Left", compute="_compute_remaining")
    is_low = fields.Boolean(compute="_compute_remaining", help="Less than a tenth of the numbers is left.")
    example = fields.Char(compute="_compute_example", help="The first number as it is printed.")
    # serial numbers below `reclaimed_to` are accounted for; those up to `reclaim_mark` were taken a day ago or more
    reclaimed_to = fields.Char(readonly=True, copy=False)
    reclaim_mark = fields.Char(readonly=True, copy=False)

    # === COMPUTE METHODS === #

    @api.depends("carrier_id", "prefix", "first", "last")
    def _compute_name(self):
        for block in self:
            block.name = f"{block.carrier_id.name or ''} {block.prefix or ''}{block.first or ''}-{block.last or ''}"

    @api.depends("last", "free_ids", "counter_id")
    def _compute_remaining(self):
        for block in self:
            left, size = 0, 1
            if block.counter_id:
                size = int(block.last) - int(block.first) + 1
                left = max(0, int(block.last) + 1 - block._get_next_serial()) + len(block.free_ids)
            block.remaining = min(left, 2**31 - 1)
            block.is_low = left * 10 < size

    @api.depends("first", "digits", "prefix", "suffix", "check_digit")
    def _compute_example(self):
        for block in self:
            try:
                block.example = block._build_number(block.first)
            except ValueError:
                block.example = False

    @api.constrains("first", "last", "digits", "check_digit")
    def _check_bounds(self):
        for block in self:
            try:
                ordered = 0 <= int(block.first) <= int(block.last) < 2**63
                block._build_number(block.last)
            except ValueError:
                ordered = False
            if not ordered:
                raise ValidationError(
                    self.env._(
                        "Range %(range)s: the first and the last number are digits only, in this order, and no longer"
                        " than the number of digits.",
                        range=block.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        ranges = super().create(vals_list)
        # sudo: ir.sequence - the counter is part of the range; a manager need not be an administrator
        counters_sudo = self.env["ir.sequence"].sudo().create([block._prepare_counter_values() for block in ranges])
        for block, counter_sudo in zip(ranges, counters_sudo, strict=True):
            block.counter_id = counter_sudo
        return ranges

    def write(self, vals):
        if "first" in vals and any(block.counter_id and block.first != vals["first"] for block in self):
            raise UserError(self.env._("The first number of a range is final: archive the range and enter a new one."))
        return super().write(vals)

    def unlink(self):
        counters_sudo = self.counter_id.sudo()  # sudo: ir.sequence - as in create
        res = super().unlink()
        counters_sudo.unlink()
        return res

    # === BUSINESS METHODS === #

    def _prepare_counter_values(self):
        self.ensure_one()
        return {
            "name": f"Waybills {self.name}",
            "implementation": "standard",
            "number_next": 1,  # counts the numbers taken: a sequence record holds no number as long as a carrier's
            "number_increment": 1,
            "company_id": self.company_id.id,
        }

    def _build_number(self, serial):
        self.ensure_one()
        return build_number(int(serial), self.digits, self.prefix or "", self.suffix or "", self.check_digit)

    def _get_next_serial(self):
        """Return the serial number that would be taken next."""
        self.ensure_one()
        # sudo: ir.sequence - who may see the range may see its counter
        return int(self.first) + self.counter_id.sudo().number_next_actual - 1

    @api.model
    def _get_available_domain(self, carrier, company, warehouse):
        """Return the domain of the ranges that may number a parcel of that warehouse."""
        return [
            ("carrier_id", "=", carrier.id),
            ("company_id", "=", company.id),
            ("warehouse_id", "in", (False, warehouse.id)),
        ]

    @api.model
    def _take_numbers(self, carrier, company, warehouse, count):
        """Take ``count`` numbers; two transactions never get the same and never wait for each other.

        :return: list of (range, number)
        :raise UserError: fewer are left
        """
        # sudo: oms.waybill.range - who packs may use up numbers, not edit ranges
        ranges = self.sudo().search(self._get_available_domain(carrier, company, warehouse))
        ranges = ranges.sorted(lambda block: (not block.warehouse_id, block.sequence, block.id))
        numbers = []
        # Recycled numbers last: they are rows, which transactions could fight over.
        for take in ("_take_new", "_take_recycled"):
            for block in ranges:
                if len(numbers) < count:
                    numbers += [(block, number) for number in getattr(block, take)(count - len(numbers))]
        if len(numbers) < count:
            raise UserError(
                self.env._(
                    "%(carrier)s has no waybill numbers left for warehouse %(warehouse)s: ask the carrier for a new"
                    " range and enter it under Configuration, Waybill Ranges.",
                    carrier=carrier.name,
                    warehouse=warehouse.name,
                )
            )
        return numbers

    def _take_new(self, count):
        """Take up to ``count`` numbers off the counter of one range."""
        self.ensure_one()
        counter = f"ir_sequence_{self.counter_id.id:03d}"  # as ir.sequence names it
        rows = self.env.execute_query(SQL("SELECT nextval(%s) FROM generate_series(1, %s)", counter, count))
        self.counter_id.invalidate_recordset(["number_next_actual"])
        self.invalidate_recordset(["remaining", "is_low"])
        serials = [int(self.first) + position - 1 for (position,) in rows]
        return [self._build_number(serial) for serial in serials if serial <= int(self.last)]

    def _take_recycled(self, count):
        """Take up to ``count`` numbers that came back to one range."""
        self.ensure_one()
        recycled = self.free_ids.try_lock_for_update(limit=count)
        numbers = recycled.mapped("name")
        recycled.unlink()
        return numbers

    @api.model
    def _give_back_numbers(self, numbers):
        """Put numbers that are on no label any more back into their ranges.

        :param numbers: list of (range, number)
        """
        # sudo: oms.waybill.number - who cancels a parcel may recycle its number, not edit ranges
        self.env["oms.waybill.number"].sudo().create(
            [{"range_id": block.id, "name": number} for block, number in numbers if block]
        )

    @api.model
    def _cron_reclaim_numbers(self):
        """Find the numbers that rolled back transactions took, a day after, when none of these can still be running."""
        ranges = self.search([("counter_id", "!=", False)])
        self.env["ir.cron"]._commit_progress(remaining=len(ranges))
        for block in ranges:
            block._reclaim_numbers()
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _reclaim_numbers(self):
        self.ensure_one()
        start = int(self.reclaimed_to or self.first)
        stop = min(int(self.reclaim_mark or self.first), int(self.last) + 1)
        taken = {self._build_number(serial) for serial in range(start, stop)}
        known = self.env["oms.parcel"]._read_group(
            [("waybill_range_id", "=", self.id), ("tracking_number", "in", list(taken))], ["tracking_number"]
        )
        lost = taken - {number for (number,) in known} - set(self.free_ids.mapped("name"))
        self._give_back_numbers([(self, number) for number in sorted(lost)])
        self.write({"reclaimed_to": str(max(start, stop)), "reclaim_mark": str(self._get_next_serial())})


class OmsWaybillNumber(models.Model):
    _name = "oms.waybill.number"
    _description = "Recycled Waybill Number"
    _order = "id"

    range_id = fields.Many2one("oms.waybill.range", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="range_id.company_id", store=True, index=True)
    name = fields.Char(string="Number", required=True)

    _number_uniq = models.Constraint("UNIQUE(range_id, name)", "This number is already free in its range.")
