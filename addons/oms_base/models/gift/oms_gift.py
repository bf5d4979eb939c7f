from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..review import domain_words
from ..review.const import DOMAIN_ERRORS
from .terms import Terms


class OmsGift(models.Model):
    """What is given for nothing, for how much, and how often. Which orders get it is said by the rules that give it."""

    _name = "oms.gift"
    _description = "Gift"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True, help="Leave empty for all companies.")
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="Orders in another currency are converted at the rate of their day.",
    )

    # what counts
    basis = fields.Selection(
        [("amount", "Amount spent"), ("quantity", "Pieces bought")],
        default="amount",
        required=True,
        tracking=True,
        help="What has to reach a tier's threshold. The amount has taxes in it and discounts taken off.",
    )
    scope = fields.Selection(
        [
            ("all", "All goods"),
            ("products", "Chosen products"),
            ("categories", "Product categories"),
            ("domain", "Products by conditions"),
        ],
        string="Counts",
        default="all",
        required=True,
        help="Which lines count. Gifts, services such as shipping, and lines without a price never do.",
    )
    product_ids = fields.Many2many("product.product", string="Products")
    categ_ids = fields.Many2many("product.category", string="Categories", help="Their subcategories count too.")
    product_domain = fields.Char(string="Conditions", default="[]")

    # what is given
    tier_ids = fields.One2many("oms.gift.tier", "gift_id", string="Tiers", copy=True)
    mode = fields.Selection(
        [("highest", "Only the highest tier reached"), ("all", "All tiers reached")],
        string="Gives",
        default="highest",
        required=True,
        tracking=True,
    )
    is_multiple = fields.Boolean(
        string="For Every Threshold", tracking=True, help="Given again for every full threshold: 2 from 200."
    )
    max_times = fields.Integer(string="At Most (times)", tracking=True, help="0: as often as the threshold is reached.")

    # limits
    date_from = fields.Datetime(string="From", tracking=True, help="For orders placed from then on.")
    date_to = fields.Datetime(string="To", tracking=True, help="For orders placed before.")
    max_quantity = fields.Float(
        string="Pieces in All", digits="Product Unit", tracking=True, help="No more are ever given. 0: no limit."
    )
    max_per_buyer = fields.Float(
        string="Pieces per Buyer", digits="Product Unit", tracking=True, help="For all orders of a buyer. 0: no limit."
    )
    is_while_stock_lasts = fields.Boolean(
        string="While Stock Lasts", default=True, help="Only what the warehouses can still send is given."
    )
    excluded_channel_ids = fields.Many2many(
        "oms.channel",
        string="Not In",
        help="Channels whose orders never get it, e.g. those of distributors.",
    )

    # Raised by who gives one of a limited gift: a transaction that counted before then has to count again.
    serial = fields.Integer(readonly=True, copy=False)
    action_ids = fields.One2many("oms.rule.action", "gift_id", string="Given By")
    rule_count = fields.Integer(string="Rules", compute="_compute_rule_count")
    given_quantity = fields.Float(string="Given", compute="_compute_given", digits="Product Unit")
    given_cost = fields.Monetary(
        string="Cost of Gifts", compute="_compute_given", help="At the cost of the products of today."
    )

    # === COMPUTE METHODS === #

    @api.depends("action_ids")
    def _compute_rule_count(self):
        for gift in self:
            gift.rule_count = len(gift.action_ids.rule_id)

    def _compute_given(self):
        self.given_quantity = self.given_cost = 0.0
        groups = self.env["sale.order.line"]._read_group(
            [("oms_gift_id", "in", self.ids), ("state", "!=", "cancel")],
            ["oms_gift_id", "company_id", "product_id"],
            ["product_uom_qty:sum"],
        )
        for gift, company, product, quantity in groups:
            gift.given_quantity += quantity
            cost = quantity * product.with_company(company).standard_price
            gift.given_cost += company.currency_id._convert(cost, gift.currency_id, company)

    # === CONSTRAINTS === #

    @api.constrains("date_from", "date_to", "max_times", "max_quantity", "max_per_buyer")
    def _check_limits(self):
        for gift in self:
            is_backwards = gift.date_from and gift.date_to and gift.date_from >= gift.date_to
            if is_backwards or min(gift.max_times, gift.max_quantity, gift.max_per_buyer) < 0:
                raise ValidationError(
                    self.env._(
                        "The gift %(gift)s could never be given: it must end after it begins, and its limits can't be "
                        "below 0.",
                        gift=gift.name,
                    )
                )

    @api.constrains("scope", "product_domain")
    def _check_product_domain(self):
        for gift in self.filtered(lambda gift: gift.scope == "domain"):
            try:
                domain_words.parse(gift.product_domain).validate(self.env["product.product"])
            except DOMAIN_ERRORS as error:
                raise ValidationError(
                    self.env._(
                        "The conditions on the products of the gift %(gift)s can't be read: %(error)s. Set them again.",
                        gift=gift.name,
                        error=error,
                    )
                ) from error

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() & set(self._get_terms_fields()):
            self._after_terms_change()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: sale.order.line - whether it was ever given is no matter of whose orders one may see
        lines = self.env["sale.order.line"].sudo().search([("oms_gift_id", "in", self.ids)], limit=1)
        used = lines.oms_gift_id or self.filtered("action_ids")[:1]
        if used:
            raise UserError(
                self.env._("The gift %(gift)s was given, or a rule gives it: archive it instead.", gift=used.name)
            )

    @api.model
    def _get_terms_fields(self):
        """Return the fields that say what is given for what: kept in the versions of the rules that give it."""
        return [
            *("name", "active", "basis", "scope", "product_ids", "categ_ids", "product_domain", "tier_ids", "mode"),
            *("is_multiple", "max_times", "date_from", "date_to", "max_quantity", "max_per_buyer"),
            *("is_while_stock_lasts", "excluded_channel_ids", "currency_id", "company_id"),
        ]

    def _after_terms_change(self):
        """Keep a version of the rules that give these gifts: what they do has changed."""
        # sudo: oms.rule.action - who may change a gift changes what the rules say by it
        actions = self.sudo().action_ids
        actions._after_content_change(actions.rule_id)

    # === ACTION METHODS === #

    def action_view_given(self):
        """Open the order lines by which these gifts were given."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_gift_line_action")
        return {**action, "domain": [("oms_gift_id", "in", self.ids)]}

    def action_view_rules(self):
        """Open the rules that give these gifts."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_action")
        return {**action, "domain": [("id", "in", self.action_ids.rule_id.ids)], "context": {"active_test": False}}

    def action_create_rule(self):
        """Open a draft rule that gives this gift to every order that arrives, to be narrowed."""
        self.ensure_one()
        values = {
            "name": self.name,
            "company_id": self.company_id.id,
            "action_ids": [fields.Command.create({"type": "gift", "gift_id": self.id})],
        }
        rule = self.env["oms.rule"].create(values)
        return {
            "type": "ir.actions.act_window",
            "res_model": "oms.rule",
            "res_id": rule.id,
            "views": [(False, "form")],
        }

    # === TERMS === #

    def _get_terms(self):
        """Return the tiers of this gift as `terms.Terms`."""
        self.ensure_one()
        return Terms(
            tiers=tuple(tier._prepare_terms() for tier in self.tier_ids),
            is_highest_only=self.mode == "highest",
            is_multiple=self.is_multiple,
            max_times=self.max_times,
        )

    def _is_limited(self):
        """Whether what others were given counts for what an order gets."""
        self.ensure_one()
        return bool(self.max_quantity or self.max_per_buyer)

    def _get_counting_domain(self):
        """Return the Domain of the products that count."""
        self.ensure_one()
        if self.scope == "products":
            return Domain("id", "in", self.product_ids.ids)
        if self.scope == "categories":
            return Domain("categ_id", "child_of", self.categ_ids.ids)
        if self.scope == "domain":
            return domain_words.parse(self.product_domain)
        return Domain.TRUE

    # === WORDS === #

    def _get_words(self):
        """Return what is given for what, as the part of a sentence after "give"."""
        self.ensure_one()
        tiers = self.env._("; ").join(tier._get_words() for tier in self.tier_ids) or self.env._("nothing")
        notes = [note for note in (self._get_scope_words(), self._get_mode_words()) if note]
        if self.max_quantity:
            notes.append(self.env._("%(quantity)g in all", quantity=self.max_quantity))
        if self.max_per_buyer:
            notes.append(self.env._("%(quantity)g a buyer", quantity=self.max_per_buyer))
        if self.is_while_stock_lasts:
            notes.append(self.env._("while stock lasts"))
        if self.date_to:
            notes.append(self.env._("until %(date)s (UTC)", date=fields.Datetime.to_string(self.date_to)))
        if self.excluded_channel_ids:
            notes.append(
                self.env._("not in %(channels)s", channels=", ".join(self.excluded_channel_ids.mapped("name")))
            )
        return f"{tiers} ({self.env._(', ').join(notes)})" if notes else tiers

    def _get_scope_words(self):
        if self.scope == "products":
            return self.env._("of %(products)s", products=", ".join(self.product_ids.mapped("display_name")))
        if self.scope == "categories":
            return self.env._("of %(categories)s", categories=", ".join(self.categ_ids.mapped("display_name")))
        if self.scope == "domain":
            try:
                words = domain_words.describe(self._get_counting_domain(), self.env["product.product"])
            except DOMAIN_ERRORS:
                words = self.env._("(conditions that can't be read)")
            return self.env._("of goods where %(conditions)s", conditions=words) if words else ""
        return ""

    def _get_mode_words(self):
        words = []
        if len(self.tier_ids) > 1:
            words.append(
                self.env._("only the highest tier") if self.mode == "highest" else self.env._("all tiers reached")
            )
        if self.is_multiple and self.max_times:
            words.append(self.env._("at most %(times)s times", times=self.max_times))
        return self.env._(", ").join(words)
