from odoo import fields, models
from odoo.fields import Command


class Website(models.Model):
    """A website may be a channel. Without one it sells as in plain Odoo."""

    _inherit = "website"

    oms_channel_id = fields.Many2one(
        "oms.channel",
        string="OMS Channel",
        domain="[('company_id', '=', company_id)]",
        index="btree_not_null",
        help="Orders of this website join the channel when they are confirmed, and it sells what the channel may sell.",
    )

    def action_oms_make_channel(self):
        """Make a channel for each of these websites that has none, with the website's warehouse."""
        websites = self.filtered(lambda website: not website.oms_channel_id)
        channels = self.env["oms.channel"].create([website._prepare_oms_channel_values() for website in websites])
        for website, channel in zip(websites, channels, strict=True):
            website.oms_channel_id = channel
        return True

    def _prepare_oms_channel_values(self):
        """Return the values of this website's new channel."""
        self.ensure_one()
        return {
            "name": self.name,
            "code": f"website_{self.id}",
            "company_id": self.company_id.id,
            "team_id": self.salesteam_id.id,
            "warehouse_ids": [Command.set(self.warehouse_id.ids)],
        }

    def _get_product_available_qty(self, product, **kwargs):
        """Override of `website_sale_stock`: what the channel may sell, promised goods taken off."""
        if not self.oms_channel_id:
            return super()._get_product_available_qty(product, **kwargs)
        return self._oms_get_sellable_quantity(product)

    def _oms_get_sellable_quantity(self, product):
        """Return how many of a product the website's channel offers, in the product's unit."""
        self.ensure_one()
        # sudo: oms.channel - visitors learn how many there are, nothing of the channel
        channel_sudo = self.sudo().oms_channel_id
        return channel_sudo._get_offered_quantities(product.sudo())[product.id]
