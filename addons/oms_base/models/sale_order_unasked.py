from odoo import api, models
from odoo.tools import SQL


class SaleOrder(models.Model):
    """What orders of channels want and no warehouse was asked for yet: in review, held after their confirmation, or
    waiting for others of their delivery group. It is in no transfer, so it is found here only."""

    _inherit = "sale.order"

    @api.model
    def _oms_get_unasked_sql(self):
        """Return a subselect of the ids of the orders of channels of which something may not have been asked for yet.
        It finds few orders by their indexes, however many were sold."""
        self.flush_model(["channel_id", "state", "oms_is_launch_pending"])
        self.env["oms.delivery.group"].flush_model(["is_waiting"])
        return SQL(
            """(SELECT id FROM sale_order WHERE channel_id IS NOT NULL AND state IN ('draft', 'sent')
                 UNION SELECT id FROM sale_order WHERE oms_is_launch_pending IS TRUE AND state = 'sale'
                 UNION SELECT part.order_id FROM oms_delivery_group waiting
                         JOIN oms_delivery_group_line part ON part.group_id = waiting.id
                         JOIN sale_order o ON o.id = part.order_id AND o.state = 'sale'
                        WHERE waiting.is_waiting IS TRUE)"""
        )

    @api.model
    def _oms_get_asked_sql(self):
        """Return the quantity, in the product's unit, that transfers of a ``line`` have taken or are to take from
        stock: what is sent in several steps counts by its first."""
        self.env["stock.move"].flush_model(
            [
                *("sale_line_id", "product_id", "state", "product_qty", "product_uom_qty", "quantity"),
                *("location_dest_id", "location_final_id", "move_orig_ids", "origin_returned_move_id"),
            ]
        )
        return SQL(
            """COALESCE((
                SELECT SUM(CASE WHEN move.state = 'done' AND move.product_uom_qty <> 0
                                THEN move.product_qty * move.quantity / move.product_uom_qty ELSE move.product_qty END)
                  FROM stock_move move
                  JOIN stock_location target ON target.id = COALESCE(move.location_final_id, move.location_dest_id)
                 WHERE move.sale_line_id = line.id AND move.product_id = line.product_id AND move.state <> 'cancel'
                   AND move.origin_returned_move_id IS NULL AND target.usage IN ('customer', 'transit')
                   AND NOT EXISTS (
                           SELECT FROM stock_move_move_rel chain
                             JOIN stock_move earlier ON earlier.id = chain.move_orig_id
                             JOIN stock_location place
                               ON place.id = COALESCE(earlier.location_final_id, earlier.location_dest_id)
                            WHERE chain.move_dest_id = move.id AND earlier.sale_line_id = line.id
                              AND earlier.state <> 'cancel' AND place.usage IN ('customer', 'transit')
                       )
               ), 0)"""
        )

    @api.model
    def _query_unasked(self, company, products):
        """Return rows (product id, quantity in its unit) of what orders of the company want of ``products`` and no
        warehouse was asked for yet."""
        self.env["sale.order.line"].flush_model(
            ["order_id", "product_id", "product_uom_id", "product_uom_qty", "company_id", "display_type", "state"]
        )
        return self.env.execute_query(
            SQL(
                """
                SELECT product_id, SUM(GREATEST(wanted - asked, 0))::float8
                  FROM (
                    SELECT line.product_id, line.product_uom_qty * unit.factor / product_unit.factor AS wanted,
                           CASE WHEN line.state = 'sale' THEN %s ELSE 0 END AS asked
                      FROM sale_order_line line
                      JOIN product_product product ON product.id = line.product_id
                      JOIN product_template template ON template.id = product.product_tmpl_id
                      JOIN uom_uom unit ON unit.id = line.product_uom_id
                      JOIN uom_uom product_unit ON product_unit.id = template.uom_id
                     WHERE line.order_id IN %s AND line.company_id = %s AND line.product_id = ANY(%s)
                       AND line.display_type IS NULL
                       ) demand
                 GROUP BY product_id
                """,
                self._oms_get_asked_sql(),
                self._oms_get_unasked_sql(),
                company.id,
                products.ids,
            )
        )
