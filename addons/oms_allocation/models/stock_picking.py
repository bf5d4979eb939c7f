from markupsafe import Markup

from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _oms_log_origins(self):
        """Write on these transfers which order each was made from: `sale_stock` posts the same note one by one."""
        view = self.env.ref("mail.message_origin_link")
        bodies = {}
        for picking in self:
            # One, as these transfers were made by reference; more where orders travel together.
            for order in picking.move_ids.sale_line_id.order_id:
                rendered = self.env["mail.render.mixin"]._render_template_qweb_view(
                    view, self._name, picking.ids, add_context={"self": picking, "origin": order}
                )
                bodies[picking.id] = bodies.get(picking.id, Markup()) + rendered[picking.id]
        if bodies:
            self.browse(bodies)._message_log_batch(bodies)
