from odoo import fields, models


class OmsHoldApprovalStep(models.Model):
    """One of the approvals that a type of hold demands, in their order."""

    _name = "oms.hold.approval.step"
    _description = "Approval Step"
    _order = "type_id, sequence, id"

    type_id = fields.Many2one("oms.hold.type", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    group_id = fields.Many2one("res.groups", string="Approved By", required=True)
    amount_from = fields.Float(
        string="From Amount",
        digits="Product Price",
        help="Asked only for orders from this total on, in the currency of the company. 0: for all.",
    )


class OmsHoldApproval(models.Model):
    """A step that somebody approved. Append-only: nobody has the right to write it."""

    _name = "oms.hold.approval"
    _description = "Hold Approval"
    _order = "id"
    _rec_name = "step_name"

    hold_id = fields.Many2one("oms.hold", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="hold_id.company_id", store=True, index=True)
    step_id = fields.Many2one("oms.hold.approval.step", index="btree_not_null", ondelete="set null", readonly=True)
    step_name = fields.Char(string="Step as Approved", required=True, readonly=True, help="As it was called then.")
    user_id = fields.Many2one("res.users", string="By", required=True, readonly=True)
    on_behalf_id = fields.Many2one(
        "res.users", string="On Behalf Of", readonly=True, help="Whose right it was, where a substitute approved."
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    comment = fields.Text(readonly=True)

    _step_uniq = models.UniqueIndex("(hold_id, step_id)", "This step is approved already.")

    def _log_approvals(self):
        """Tell the timelines of these approvals: one event an order, step and right."""
        Hold = self.env["oms.hold"]
        for (hold_type, name, on_behalf), approvals in self.grouped(
            lambda approval: (approval.hold_id.type_id, approval.step_name, approval.on_behalf_id)
        ).items():
            parts = (hold_type.name, name, Hold._get_on_behalf_label(on_behalf))
            messages = {
                approval.hold_id.order_id.id: " · ".join(part for part in (*parts, approval.comment) if part)
                for approval in approvals
            }
            holds = approvals.hold_id
            data = {"on_behalf_id": on_behalf.id}
            holds.order_id._oms_log_event("approved", message=messages, document=holds, data=data)
