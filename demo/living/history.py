"""The last hours of the company: orders pulled from the marketplace and brought to every stage, as the people would."""

import threading
from argparse import Namespace

from market.server import Server
from marketplace import CATALOGUE, make_market

from .phone import make_phone_orders

ORDERS = 70
HOURS = 30


class OpenMarket:
    """The marketplace, open while the history is made; what it sold is kept in its state file."""

    def __init__(self, port, state_file):
        options = Namespace(
            quiet_market=False,
            rate="0",
            set=[
                "bad_address=0.08",
                "unpaid=0.05",
                "throttle=0",
                "outage=0",
                "busy=0",
                "half=0",
                "hang=0",
                "calls_per_second=1000",
            ],
            catalogue=CATALOGUE,
            shops=None,
            webhook=[],
            seed="1",
            state=state_file,
            history=ORDERS,
            history_hours=HOURS,
        )
        self.market = make_market(options)
        self.server = Server(("127.0.0.1", port), self.market)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.market

    def __exit__(self, *exc_info):
        self.market.book.save()
        self.server.shutdown()
        self.server.server_close()


def run_crons(env, *xmlids):
    """Run scheduled actions now, as the scheduler would."""
    for xmlid in xmlids:
        env.ref(xmlid).method_direct_trigger()
    env.cr.commit()  # they worked in transactions of their own: look with fresh eyes
    env.invalidate_all()


def run_lanes(env, pattern, count):
    run_crons(env, *(pattern % lane for lane in range(count)))


def make_history(env, channels):
    """Let the orders of the last hours come in and bring them to every stage."""
    channels.write({"is_listing_import_due": True})
    env.cr.commit()
    run_lanes(env, "oms_channels.ir_cron_pull_lane_%s", 2)
    run_lanes(env, "oms_channels.ir_cron_message_lane_%s", 4)
    run_lanes(env, "oms_base.ir_cron_review_lane_%s", 2)
    _work_in_warehouses(env)
    make_phone_orders(env)
    run_crons(env, "oms_channels.ir_cron_settle")
    _make_returns(env)
    run_crons(env, "oms_channels.ir_cron_settle")
    run_lanes(env, "oms_channels.ir_cron_push_lane_%s", 4)
    run_crons(env, "oms_channels.ir_cron_settle")


def _work_in_warehouses(env):
    """Of the ready transfers, oldest first: many leave, some are packed, some are being picked, the rest waits."""
    pickings = env["stock.picking"].search(
        [("state", "=", "assigned"), ("picking_type_code", "=", "outgoing")], order="id"
    )
    count = len(pickings)
    shipped, packed, picked = (
        pickings[: count // 2],
        pickings[count // 2 : count * 6 // 10],
        pickings[count * 6 // 10 : count * 7 // 10],
    )
    for picking in shipped | packed | picked:
        picking.move_ids.picked = True
    (shipped | packed)._oms_ensure_parcels()
    (shipped | packed)._oms_ensure_carriers()
    for parcel in (shipped | packed).oms_parcel_ids:
        parcel.weight_gross = parcel.weight_expected
    (shipped | packed).oms_parcel_ids.action_pack()
    (shipped | packed).oms_parcel_ids._assign_waybills()
    for picking in shipped:
        picking.with_context(skip_sms=True)._action_done()
    env.cr.commit()
    parcels = shipped.oms_parcel_ids
    parcels[: len(parcels) * 2 // 3].action_deliver()
    env.cr.commit()
    run_crons(env, "oms_fulfillment.ir_cron_apply_tracking")


def _make_returns(env):
    """A few buyers send something back: asked for, on its way, inspected and credited."""
    orders = env["sale.order"].search([("oms_stage", "in", ("delivered", "done"))], order="id", limit=5)
    reasons = env["oms.return.reason"].search([("needs_photo", "=", False)])
    for index, order in enumerate(orders):
        line = order.order_line.filtered(lambda line: line.qty_delivered > 0)[:1]
        oms_return = env["oms.return"].create(
            {
                "partner_id": order.partner_id.id,
                "company_id": order.company_id.id,
                "line_ids": [
                    (0, 0, {"sale_line_id": line.id, "quantity": 1, "reason_id": reasons[index % len(reasons)].id})
                ],
            }
        )
        oms_return.action_request()
        if index and oms_return.state == "requested":
            oms_return.action_approve()
        if index >= 2:
            for picking in oms_return.line_ids.move_ids.picking_id.filtered(lambda one: one.state != "done"):
                picking.move_ids.picked = True
                picking._action_done()
        if index >= 3:
            env["oms.return.inspect"].create({"return_id": oms_return.id}).action_inspect()
            if oms_return.money_state == "due":
                oms_return.action_credit()
        env.cr.commit()
