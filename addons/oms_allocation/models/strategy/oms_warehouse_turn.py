from odoo import api, fields, models
from odoo.tools import SQL


class OmsWarehouseTurn(models.Model):
    """Who gives the parcels of a day away takes turns: two transactions that both saw the last one would both give it.

    A row for each warehouse that has a limit. Who counts its parcels changes the row before, so the next waits for the
    end of the transaction, and fails then to be run again with what is left (see `stock.quant`). It is a table of its
    own, as nothing refers to its rows: transfers and orders refer to those of warehouses, and would stumble over it.
    """

    _name = "oms.warehouse.turn"
    _description = "Turn at a Warehouse's Capacity"
    _rec_name = "warehouse_id"
    _log_access = False

    warehouse_id = fields.Many2one("stock.warehouse", required=True, readonly=True, ondelete="cascade")
    turns = fields.Integer(required=True, readonly=True)

    _warehouse_uniq = models.UniqueIndex("(warehouse_id)", "A warehouse has one row.")

    @api.model
    def _take(self, warehouses):
        """Wait for the turn at ``warehouses``, in the order of their ids.

        :param warehouses: any iterable of stock.warehouse records
        :raise psycopg2.errors.SerializationFailure: when another had it since this transaction began
        """
        ids = [warehouse.id for warehouse in warehouses]
        if not ids:
            return
        statement = SQL(
            """
            INSERT INTO oms_warehouse_turn AS turn (warehouse_id, turns)
            SELECT id, 1 FROM unnest(%s::int[]) AS warehouse (id) ORDER BY id
                ON CONFLICT (warehouse_id) DO UPDATE SET turns = turn.turns + 1
            """,
            ids,
        )
        self.env.cr.execute(statement, log_exceptions=False)  # being sent back is part of the plan, not an error
