from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.hold.sale_order_desk import ADDRESS_FIELDS

PARTS = (*ADDRESS_FIELDS, "state_id")


class OmsDeskCorrection(models.TransientModel):
    """Correct the orders of many cases: the address of each, and how all of them are sent."""

    _name = "oms.desk.correction"
    _description = "Correct Orders"

    hold_ids = fields.Many2many("oms.hold", string="Cases")
    line_ids = fields.One2many("oms.desk.correction.line", "wizard_id", string="Addresses")
    commitment_date = fields.Datetime(string="Ship On", help="For all of these orders. Empty: each keeps its own.")
    warehouse_id = fields.Many2one(
        "stock.warehouse", string="Ships Only From", help="For all of these orders. Empty: each keeps its own."
    )

    @api.model
    def _create_for_holds(self, hold_ids):
        """Return a wizard with the addresses of the orders of these holds as they are."""
        holds = self.env["oms.hold"].browse(hold_ids).exists()
        prepare = self.line_ids._prepare_address_values
        lines = [
            Command.create({"order_id": order.id, **prepare(order.partner_shipping_id)}) for order in holds.order_id
        ]
        return self.create({"hold_ids": holds.ids, "line_ids": lines})

    def action_correct(self):
        """Correct them, and hand the desk the result of each."""
        self.ensure_one()
        desk = self.env["oms.review.desk"]
        answers = desk._answer_each_order(self.hold_ids.sorted("id").ids, self._correct, self.env._("Corrected"))
        return {"type": "ir.actions.act_window_close", "infos": {"answers": answers}}

    def _correct(self, order):
        """Correct one order.

        :raise UserError: when it can't be corrected, or nothing of it was changed
        :return: (whether all is well now, sentence), or None
        """
        address = self.line_ids.filtered(lambda line: line.order_id == order)._get_changed_address()
        terms = self._prepare_terms()
        if not address and not terms:
            raise UserError(self.env._("%(order)s: nothing was changed.", order=order.name))
        if terms:
            order._oms_correct_terms(**terms)
        return order._oms_correct_address(address) if address else None

    def _prepare_terms(self):
        """Return what all of the orders get, as `_oms_correct_terms` takes it. To be extended by addons with fields of
        their own."""
        self.ensure_one()
        terms = {}
        if self.commitment_date:
            terms["commitment_date"] = self.commitment_date
        if self.warehouse_id:
            terms["warehouse"] = self.warehouse_id
        return terms


class OmsDeskCorrectionLine(models.TransientModel):
    _name = "oms.desk.correction.line"
    _description = "Correct Orders: Address"

    wizard_id = fields.Many2one("oms.desk.correction", required=True, ondelete="cascade", index=True)
    order_id = fields.Many2one("sale.order", required=True, readonly=True, ondelete="cascade", index=True)
    problem = fields.Char(related="order_id.oms_address_problem")
    name = fields.Char()
    street = fields.Char()
    street2 = fields.Char(string="Street 2")
    city = fields.Char()
    zip = fields.Char(string="Postcode")
    phone = fields.Char()
    country_id = fields.Many2one(related="order_id.partner_shipping_id.country_id")
    state_id = fields.Many2one("res.country.state", domain="[('country_id', '=', country_id)]")

    @api.model
    def _prepare_address_values(self, partner):
        return {name: partner[name].id if name == "state_id" else partner[name] for name in PARTS}

    def _get_changed_address(self):
        """Return what differs from the address of the order, as `sale.order._oms_correct_address` takes it."""
        before = self._prepare_address_values(self.order_id.partner_shipping_id)
        now = self._prepare_address_values(self)
        return {name: now[name] for name in PARTS if (now[name] or False) != (before[name] or False)}
