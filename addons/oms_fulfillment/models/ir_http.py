from odoo import models

# Whose work is more than the warehouse chooses an app, as everybody does.
OFFICE_GROUPS = ("oms_base.oms_base_group_user", "oms_base.oms_base_group_accountant", "base.group_system")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Extended: who picks and packs begins at the scanner, unless a home action was chosen for them."""
        res = super().session_info()
        user = self.env.user
        if (
            not res.get("home_action_id")
            and user.has_group("oms_base.oms_base_group_warehouse")
            and not any(user.has_group(group) for group in OFFICE_GROUPS)
        ):
            res["home_action_id"] = self.env["ir.model.data"]._xmlid_to_res_id("oms_fulfillment.oms_scan_app_action")
        return res
