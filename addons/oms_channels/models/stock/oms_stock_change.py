from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL


class OmsStockChange(models.Model):
    """Of which product a channel may have to be told another quantity. Rows are only added, by whoever changes stock,
    and taken by the lane that tells: nobody waits for a row of somebody else.

    A row that waits for the inbox names the newest message that was there: what is told must not count goods as free
    that those orders want. Orders that came later are counted by the change that they cause themselves.
    """

    _name = "oms.stock.change"
    _description = "Changed Stock"
    _log_access = False
    _order = "id"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id")
    product_id = fields.Many2one("product.product", required=True, index=True, ondelete="cascade", readonly=True)
    message_id = fields.Integer(string="Waits for Message", readonly=True, help="Up to this one of the inbox. 0: none.")
    since = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)

    # === NOTING === #

    @api.model
    def _note(self, products):
        """Note changed products: written once, when the transaction is committed."""
        if not products.ids:
            return
        hooks = self.env.cr.precommit
        noted = hooks.data.get("oms_stock_changes")
        if noted is None:
            if not self.env["oms.channel"]._get_instant_channel_ids():
                return
            noted = hooks.data["oms_stock_changes"] = set()
            hooks.add(self._write_noted)
        noted.update(products.ids)

    @api.model
    def _write_noted(self):
        """Write what was noted in this transaction, for each channel that is told at once, and wake its lane."""
        product_ids = sorted(self.env.cr.precommit.data.pop("oms_stock_changes", ()))
        channel_ids = self.env["oms.channel"]._get_instant_channel_ids()
        self._insert(channel_ids, product_ids)
        self.env["oms.channel"]._wake_stock_lanes(channel_ids)

    @api.model
    def _insert(self, channel_ids, product_ids, message_id=0):
        """Add rows of products that (still) exist. One INSERT: each change of stock in any order comes through here."""
        if channel_ids and product_ids:
            self.env.cr.execute(
                SQL(
                    "INSERT INTO oms_stock_change (channel_id, product_id, message_id, since)"
                    " SELECT channel.id, product.id, %s, now() AT TIME ZONE 'UTC'"
                    " FROM oms_channel channel, product_product product"
                    " WHERE channel.id = ANY(%s) AND product.id = ANY(%s)",
                    message_id,
                    list(channel_ids),
                    list(product_ids),
                )
            )

    # === TAKING === #

    @api.model
    def _take(self, channel, oldest_message_id, patience):
        """Take the rows of a channel that can be told now.

        :param oldest_message_id: the oldest message that waits in the inbox, 0 when none does
        :param patience: minutes after which a row waits no longer
        :return: (ids of changed products, ids of those that have waited for the inbox)
        """
        limit = fields.Datetime.now() - timedelta(minutes=patience)
        rows = self.env.execute_query(
            SQL(
                "DELETE FROM oms_stock_change WHERE channel_id = %s"
                " AND (message_id = 0 OR %s = 0 OR message_id < %s OR since < %s)"
                " RETURNING product_id, message_id > 0",
                channel.id,
                oldest_message_id,
                oldest_message_id,
                limit,
            )
        )
        return {row[0] for row in rows}, {row[0] for row in rows if row[1]}
