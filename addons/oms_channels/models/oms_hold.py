from odoo import models


class OmsHold(models.Model):
    """What a buyer asks back in the shop, in words."""

    _inherit = "oms.hold"

    def _format_evidence(self, key, value):
        """Override of the review desk: each request as a sentence, with the goods it is about."""
        if key != "refund_requests" or not isinstance(value, dict):
            return super()._format_evidence(key, value)
        lines = {line.channel_line_id: line for line in self.order_id.order_line if line.channel_line_id}
        sentences = []
        for external_id, row in value.items():
            goods = ", ".join(
                f"{float(quantity):g} × {lines[line_id].product_id.display_name if line_id in lines else line_id}"
                for line_id, quantity in row.get("lines") or ()
            )
            sentence = self.order_id._describe_refund_request(external_id, row)
            sentences.append(f"{sentence} ({goods})" if goods else sentence)
        return "\n".join(sentences)
