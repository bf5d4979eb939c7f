from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.mimetypes import guess_mimetype

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
PHOTO_SIZE = 10 * 1024 * 1024  # what a phone's camera makes, with room


class OmsReturn(models.Model):
    """What the buyer asks for and sees in the portal."""

    _inherit = "oms.return"

    # The way of a return as the buyer sees it: (states in which the step is reached, event that dates it)
    _STEPS = [
        ("requested", ("requested", "approved", "received", "inspected", "done"), "return_requested"),
        ("approved", ("approved", "received", "inspected", "done"), "return_approved"),
        ("received", ("received", "inspected", "done"), "return_received"),
        ("inspected", ("inspected", "done"), "return_inspected"),
        ("done", ("done",), "return_done"),
    ]

    @api.model
    def _create_from_portal(self, order, lines, request_key, buyer_note=None):
        """Create and hand in a return that a buyer asks for. The same key gives the same return.

        :param order: the order, whose access was checked
        :param lines: dicts with sale_line (record), quantity (None for what is no number), reason (record), buyer_note,
            photos: [(file name, bytes)]
        :param request_key: random text that the buyer's form carries
        :return: the return
        :raise UserError: sentences that the buyer can act on
        """
        order._oms_lock_for_return()
        # sudo: oms.return - buyers create nothing themselves; the order's access was checked
        Return = self.sudo()
        if existing := Return.search([("request_key", "=", request_key), ("order_ids", "in", order.ids)]):
            return existing
        if not order._oms_is_open_for_returns():
            raise UserError(
                self.env._(
                    "You can't ask for a return of %(order)s here. Please write to us.",
                    order=order.channel_order_ref or order.name,
                )
            )
        if errors := self._get_request_errors(order, lines):
            raise UserError("\n".join(errors))
        oms_return = Return.create(
            {
                "partner_id": order.partner_id.id,
                "company_id": order.company_id.id,
                "user_id": (order.user_id or order.channel_id.user_id).id,
                "request_key": request_key,
                "buyer_note": buyer_note,
                "line_ids": [
                    Command.create(
                        {
                            "sale_line_id": line["sale_line"].id,
                            "quantity": line["quantity"],
                            "reason_id": line["reason"].id,
                            "buyer_note": line.get("buyer_note"),
                        }
                    )
                    for line in lines
                ],
            }
        )
        for record, line in zip(oms_return.line_ids, lines, strict=True):
            record.photo_ids = record._create_photos(line.get("photos", []))
        if errors := oms_return._get_errors():
            raise UserError("\n".join(errors))
        oms_return._request()
        return oms_return

    @api.model
    def _get_request_errors(self, order, lines):
        """Return what is wrong with what a buyer typed, as a list of sentences."""
        if not lines:
            return [self.env._("Choose what you want to return.")]
        allowed = order._oms_get_portal_return_lines()
        errors = []
        for line in lines:
            sale_line, product = line["sale_line"], line["sale_line"].product_id.display_name
            if line["quantity"] is None:
                errors.append(self.env._("Enter how many of %(product)s as a number.", product=product))
                continue
            if sale_line not in allowed or sale_line.product_uom_id.compare(line["quantity"], allowed[sale_line]) > 0:
                errors.append(
                    self.env._(
                        "You can still return %(limit)s of %(product)s.",
                        limit=sale_line.product_uom_id._oms_format(allowed.get(sale_line, 0.0)),
                        product=product,
                    )
                )
            if sale_line.product_uom_id.compare(line["quantity"], 0) <= 0:
                errors.append(self.env._("Enter how many of %(product)s.", product=product))
            if not line["reason"] or not line["reason"].is_portal:
                errors.append(self.env._("Choose why you return %(product)s.", product=product))
        photos = [photo for line in lines for photo in line.get("photos", [])]
        return errors + self._get_photo_errors(order.company_id, photos)

    @api.model
    def _get_photo_errors(self, company, photos):
        errors = []
        if len(photos) > company.oms_return_photo_limit:
            errors.append(self.env._("Add no more than %(limit)s photos.", limit=company.oms_return_photo_limit))
        for name, content in photos:
            if len(content) > PHOTO_SIZE:
                errors.append(self.env._("The photo %(name)s is larger than 10 MB.", name=name))
            elif guess_mimetype(content) not in PHOTO_TYPES:
                errors.append(self.env._("%(name)s is not a photo. Use JPEG, PNG, WebP or GIF.", name=name))
        return errors

    def _get_portal_steps(self):
        """Return the way of the return for the buyer: [{"label", "is_reached", "date"}, ...]."""
        self.ensure_one()
        is_unpaid = self.state == "done" and self.money_state != "paid"
        labels = {
            "requested": self.env._("Request sent"),
            "approved": self.env._("Approved"),
            "received": self.env._("Received by us"),
            "inspected": self.env._("Inspected"),
            "done": self.env._("Closed") if is_unpaid else self.env._("Refunded"),
        }
        events_sudo = (
            self.env["oms.event"]
            .sudo()
            .search(  # sudo: oms.event - the buyer's own return
                [("res_model", "=", self._name), ("res_id", "=", self.id)]
            )
        )
        dates = {event.code: event.date for event in events_sudo}
        steps = [step for step in self._STEPS if self.type == "return" or step[0] not in ("received", "inspected")]
        return [
            {"label": labels[key], "is_reached": self.state in states, "date": dates.get(event)}
            for key, states, event in steps
        ]


class OmsReturnLine(models.Model):
    _inherit = "oms.return.line"

    def _create_photos(self, photos):
        """Attach the buyer's photos to the line.

        :param photos: [(file name, bytes), ...], checked before
        """
        self.ensure_one()
        # sudo: ir.attachment - buyers create nothing themselves
        return (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": name,
                        "raw": content,
                        "res_model": self._name,
                        "res_id": self.id,
                        "access_token": self.env["ir.attachment"]._generate_access_token(),
                    }
                    for name, content in photos
                ]
            )
        )
