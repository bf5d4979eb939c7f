from odoo import fields, models
from odoo.fields import Command

from ...const import SHIPPED_NUMBER
from .sale_order_gift import GIFT_STATES

# Gifts stand behind whatever was ordered.
GIFT_SEQUENCE = 9000


class SaleOrder(models.Model):
    """Gifts given and taken back: the lines are brought in line with what is earned, and doing it twice does it once.

    What nobody has begun to pick is changed. What the warehouse has is stopped, with the difference in words. What has
    left is claimed back by a person, when a refund shows that it was not earned.
    """

    _inherit = "sale.order"

    oms_gift_count = fields.Integer(string="Gifts", compute="_compute_oms_gift_count")

    def _compute_oms_gift_count(self):
        for order in self:
            order.oms_gift_count = len(order._get_gift_lines().filtered("product_uom_qty"))

    def _oms_apply_gifts(self, action, targets, is_refund=False):
        """Give these orders what they should have by ``action``, or do what can still be done about it.

        :param targets: dict {order: {product id: quantity}}; who is not in it gets nothing
        :param is_refund: whether what has left and was not earned is claimed back
        """
        orders = self.filtered(lambda order: order.state in GIFT_STATES)
        differences = orders._oms_get_gift_differences(action, targets)
        free = orders._oms_filter_unreleased()
        shipped = (orders - free).filtered(lambda order: order.oms_stage_number >= SHIPPED_NUMBER)
        free._oms_change_gift_lines(action, differences)
        stopped = orders - free - shipped
        stopped = stopped.filtered(lambda order: order in differences)
        words = {order: order._get_gift_difference_words(differences[order]) for order in stopped}
        (orders - shipped)._oms_stop_for_gifts(action, words)
        if is_refund:
            surplus = {
                order: {pid: -quantity for pid, quantity in differences[order].items() if quantity < 0}
                for order in shipped
                if order in differences
            }
            shipped._oms_claim_gifts_back({order: quantities for order, quantities in surplus.items() if quantities})

    def _oms_get_gift_differences(self, action, targets):
        """Return {order: {product id: quantity it should have more (or less)}}, only orders where there is one."""
        kept = self._oms_get_kept_shares()
        differences = {order: dict(quantities) for order, quantities in targets.items() if order in self}
        for line in self._get_gift_lines(action):
            quantities = differences.setdefault(line.order_id, {})
            given = line.product_uom_qty * kept.get(line, 1.0)
            quantities[line.product_id.id] = quantities.get(line.product_id.id, 0.0) - given
        products = self.env["product.product"].browse({pid for values in differences.values() for pid in values})
        units = {product.id: product.uom_id for product in products}
        found = {}
        for order, quantities in differences.items():
            if changed := {pid: quantity for pid, quantity in quantities.items() if not units[pid].is_zero(quantity)}:
                found[order] = changed
        return found

    # === LINES === #

    def _oms_change_gift_lines(self, action, differences):
        """Add, raise, lower and remove gift lines of these orders, each in one write for all orders."""
        vals_list, changed, removed = [], {}, self.env["sale.order.line"]
        earning = self._oms_get_earning_lines(action.gift_id) if any(order in differences for order in self) else {}
        for order in self:
            lines = order._get_gift_lines(action)
            for product_id, quantity in differences.get(order, {}).items():
                own = lines.filtered(lambda line, product_id=product_id: line.product_id.id == product_id)
                if not own:
                    vals_list.append(order._prepare_gift_line_values(action, product_id, quantity, earning))
                    continue
                for line, left in own._oms_share_gift_change(quantity).items():
                    # A line of a confirmed order can't be removed: Odoo keeps it, at 0.
                    if left <= 0 and order.state != "sale":
                        removed |= line
                    else:
                        changed.setdefault((left, order.state), self.env["sale.order.line"])
                        changed[left, order.state] |= line
        stamp = {"oms_gift_action_id": action.id, "oms_gift_rule_version_id": action.rule_id.version_id.id}
        for (quantity, _state), lines in changed.items():
            lines.write({"product_uom_qty": quantity, **stamp})
        removed.unlink()
        created = self.env["sale.order.line"].create(vals_list)
        # Read of all at once, as Odoo's totals would read it order by order.
        created.order_id.order_line.mapped("tax_ids")
        self._oms_link_gift_parents(action, earning)
        if touched := self.filtered(lambda order: order in differences):
            messages = {order.id: order._get_gift_difference_words(differences[order]) for order in touched}
            touched._oms_log_event("gift", message=messages)

    def _prepare_gift_line_values(self, action, product_id, quantity, earning):
        """Return the values of a new gift line of one order.

        :param earning: dict {order: its lines that count}
        """
        self.ensure_one()
        product = self.env["product.product"].browse(product_id)
        return {
            "order_id": self.id,
            "product_id": product_id,
            "product_uom_id": product.uom_id.id,
            "product_uom_qty": quantity,
            "name": self._get_gift_line_name(product),
            "price_unit": 0.0,
            "technical_price_unit": 0.0,
            "discount": 0.0,
            "sequence": GIFT_SEQUENCE,
            "oms_gift_id": action.gift_id.id,
            "oms_gift_action_id": action.id,
            "oms_gift_rule_version_id": action.rule_id.version_id.id,
            "oms_gift_parent_ids": [Command.set(earning[self].ids)] if self in earning else [],
        }

    def _oms_link_gift_parents(self, action, earning):
        """Note for which lines these orders have their gifts by ``action``, where that changed."""
        for line in self._get_gift_lines(action):
            parents = earning.get(line.order_id)
            if parents and line.oms_gift_parent_ids != parents:
                line.oms_gift_parent_ids = parents

    def _get_gift_difference_words(self, quantities):
        """Return a change of the gifts of one order in words."""
        products = self.env["product.product"].browse(quantities).with_context(display_default_code=False)
        named = {product.id: product.display_name for product in products}
        more = [f"{quantity:g} × {named[pid]}" for pid, quantity in quantities.items() if quantity > 0]
        less = [f"{-quantity:g} × {named[pid]}" for pid, quantity in quantities.items() if quantity < 0]
        parts = [
            *([self.env._("add %(gifts)s", gifts=", ".join(more))] if more else []),
            *([self.env._("take out %(gifts)s", gifts=", ".join(less))] if less else []),
        ]
        return "; ".join(parts)

    # === WHAT THE WAREHOUSE HAS === #

    def _oms_stop_for_gifts(self, action, words):
        """Hold the orders in ``words`` whose goods the warehouse has, and release the others from such a hold.

        :param words: dict {order: what should be added or taken out}
        """
        holds = self.oms_hold_ids.filtered(lambda hold: hold.type_id.code == "gift")
        if not holds and not words:
            return
        key, settled = str(action.id), self.env["oms.hold"]
        by_order = {hold.order_id: hold for hold in holds if hold.state == "active" and hold._get_own_reasons()}
        for hold in by_order.values():
            told = dict((hold.data or {}).get("differences", {}))
            new = {name: text for name, text in told.items() if name != key}
            if hold.order_id in words:
                new[key] = words[hold.order_id]
            if not new:
                settled |= hold
            elif new != told:
                hold.data = {**(hold.data or {}), "differences": new}
                hold._reword_own_reasons("; ".join(new.values()))
        settled._settle_own_reasons(self.env._("The gift is right again."))
        # Nobody is asked twice about the same difference.
        passed = {
            hold.order_id
            for hold in holds
            if hold.state == "released"
            and hold.resolution in ("unchanged", "corrected", "expired", "approved")
            and hold.order_id in words
            and words[hold.order_id] == (hold.data or {}).get("differences", {}).get(key)
        }
        todo = self.filtered(lambda order: order in words and order not in by_order and order not in passed)
        if todo:
            todo._oms_place_gift_hold(key, words)

    def _oms_place_gift_hold(self, key, words):
        evidence = {order.id: {"differences": {key: words[order]}} for order in self}
        self._oms_place_hold("gift", {order.id: words[order] for order in self}, data={"by_order": evidence})

    # === WHAT HAS LEFT === #

    def _oms_claim_gifts_back(self, surplus):
        """Tell the reviewer of gifts that were sent and, after a refund, not earned. Told once for each quantity.

        :param surplus: dict {order: {product id: quantity}}
        """
        summary = self.env._("Gift to be claimed back")
        for order, quantities in surplus.items():
            data = {"claim": {str(pid): quantity for pid, quantity in quantities.items()}}
            if any(event.code == "gift" and event.data == data for event in order.oms_event_ids):
                continue
            products = self.env["product.product"].browse(quantities)
            gifts = ", ".join(f"{quantities[product.id]:g} × {product.display_name}" for product in products)
            order._oms_log_event("gift", message=self.env._("To be claimed back: %(gifts)s", gifts=gifts), data=data)
            order.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=summary,
                note=self.env._("After the refund this was not earned: %(gifts)s", gifts=gifts),
                user_id=(order.oms_reviewer_id or order.channel_id.user_id or self.env.user).id,
            )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _oms_share_gift_change(self, quantity):
        """Return {line: its new quantity} for these lines of one gift and product that come to ``quantity`` more."""
        lines = self.sorted("id")
        if quantity > 0:
            return {lines[0]: lines[0].product_uom_qty + quantity}
        shared, rest = {}, -quantity
        for line in lines.sorted("id", reverse=True):
            taken = min(line.product_uom_qty, rest)
            if taken:
                shared[line] = line.product_uom_qty - taken
                rest -= taken
        return shared
