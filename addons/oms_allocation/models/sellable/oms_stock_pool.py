from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from .stock import WHOLE, Scope, Want


class PoolSpec(NamedTuple):
    """A pool as plain values, kept in the registry's cache. ``scopes`` say (line id, quantity, share)."""

    id: int
    company_id: int
    channel_ids: frozenset
    category_ids: frozenset
    is_quota: bool
    borrowable: int
    borrow_days: int
    start_date: object
    release_date: object
    scopes: tuple

    def is_live(self, now):
        return self.start_date <= now and (not self.release_date or now < self.release_date)

    def get_borrowable(self, now):
        """Return the share that others may take ``now``."""
        if self.borrow_days and (
            not self.release_date or fields.Datetime.add(now, days=self.borrow_days) < self.release_date
        ):
            return 0
        return self.borrowable

    def prepare_claims(self, now):
        """Return its scopes, which say `stock.Want`s as they are ``now``."""
        taken, borrowable = 0 if self.is_quota else None, self.get_borrowable(now)
        return [scope._replace(value=Want(self.id, *scope.value, taken, borrowable)) for scope in self.scopes]


class OmsStockPool(models.Model):
    """Stock that is kept for channels or groups of customers: others neither see nor get it.

    Nothing is moved: a pool is a claim on what is free in a place, counted anew whenever the stock is read. What its
    owners were allocated is derived from their allocations, so a cancellation gives it back by itself.
    """

    _name = "oms.stock.pool"
    _description = "Stock Pool"
    _inherit = ["oms.stock.claim.mixin", "mail.thread"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10, help="Where stock is less than all pools want, the lowest is filled first.")
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    color = fields.Integer()
    mode = fields.Selection(
        [("keep", "Always keep it filled"), ("quota", "A quota, taken once")],
        required=True,
        default="keep",
        tracking=True,
        help="Kept filled: after the owners took goods, as much is kept for them again. A quota: what they took since"
        " the start counts against it.",
    )
    channel_ids = fields.Many2many("oms.channel", string="Channels", check_company=True)
    partner_category_ids = fields.Many2many(
        "res.partner.category",
        string="Customer Groups",
        help="Orders of customers with one of these tags take from the pool, in whatever channel.",
    )
    start_date = fields.Datetime(required=True, default=fields.Datetime.now, tracking=True)
    release_date = fields.Datetime(
        tracking=True, help="From then on, what is left is everybody's. Empty: it is kept until the pool is archived."
    )
    borrow_percent = fields.Float(
        string="Others May Take (%)",
        tracking=True,
        help="Which part of what the pool holds others may sell too.",
    )
    borrow_days = fields.Integer(
        string="Only Within (days)",
        tracking=True,
        help="Others may take it only within so many days before the release. 0: at any time.",
    )
    line_ids = fields.One2many("oms.stock.pool.line", "pool_id", string="Goods", copy=True)
    is_live = fields.Boolean(string="In Force", compute="_compute_is_live", search="_search_is_live")

    _check_borrow = models.Constraint(
        "CHECK(borrow_percent BETWEEN 0 AND 100 AND borrow_days >= 0)",
        "Others may take from none to 100 percent of a pool, within 0 days or more.",
    )
    _check_dates = models.Constraint(
        "CHECK(release_date IS NULL OR release_date > start_date)", "A pool is released after its start."
    )

    # === COMPUTE METHODS === #

    @api.depends("active", "start_date", "release_date")
    def _compute_is_live(self):
        now = fields.Datetime.now()
        for pool in self:
            pool.is_live = (
                pool.active
                and bool(pool.start_date and pool.start_date <= now)
                and (not pool.release_date or now < pool.release_date)
            )

    @api.model
    def _search_is_live(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        live = (
            Domain("active", "=", True)
            & Domain("start_date", "<=", now)
            & (Domain("release_date", "=", False) | Domain("release_date", ">", now))
        )
        return live if True in value else ~live

    @api.constrains("channel_ids", "partner_category_ids")
    def _check_owners(self):
        for pool in self:
            if not pool.channel_ids and not pool.partner_category_ids:
                raise ValidationError(
                    self.env._("Say for whom %(pool)s is kept: channels, customer groups, or both.", pool=pool.name)
                )

    def _get_release_dates(self):
        """Override: and when they are released, or others may begin to borrow."""
        now = fields.Datetime.now()
        released = [pool.release_date for pool in self if pool.release_date]
        borrowed = [
            fields.Datetime.subtract(pool.release_date, days=pool.borrow_days)
            for pool in self
            if pool.release_date and pool.borrow_days
        ]
        return [*super()._get_release_dates(), *(date for date in released + borrowed if date > now)]

    # === WHO MAY TAKE WHAT === #

    @api.model
    @ormcache()
    def _get_specs(self):
        """Return all pools as PoolSpec, who is filled first stands first; without any, they cost no query."""
        # sudo: oms.stock.pool - the answer is kept for all users
        pools_sudo = self.sudo().search([("active", "=", True)])
        return tuple(pool._prepare_spec() for pool in pools_sudo)

    def _prepare_spec(self):
        self.ensure_one()
        return PoolSpec(
            self.id,
            self.company_id.id,
            frozenset(self.channel_ids.ids),
            frozenset(self.partner_category_ids.ids),
            self.mode == "quota",
            round(self.borrow_percent * WHOLE / 100),
            self.borrow_days,
            self.start_date,
            self.release_date,
            tuple(line._prepare_scope() for line in self.line_ids),
        )

    @api.model
    def _get_live_specs(self, now):
        return tuple(spec for spec in self._get_specs() if spec.is_live(now))


class OmsStockPoolLine(models.Model):
    """Which goods a pool keeps, and how many."""

    _name = "oms.stock.pool.line"
    _description = "Goods of a Stock Pool"
    _inherit = ["oms.stock.claim.mixin"]
    _order = "pool_id, id"
    _check_company_auto = True

    pool_id = fields.Many2one("oms.stock.pool", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="pool_id.company_id", store=True, precompute=True, index=True)
    product_id = fields.Many2one(
        "product.product",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
        domain=[("is_storable", "=", True)],
    )
    categ_id = fields.Many2one(
        "product.category",
        string="Category",
        index="btree_not_null",
        ondelete="cascade",
        help="For each product in it and below. Without product and category: for each product.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
        help="Without one, as much is kept in each warehouse.",
    )
    quantity = fields.Float(digits="Product Unit", help="How much of each product is kept in each warehouse.")
    share = fields.Float(string="Share (%)", help="Instead of a quantity: the part of what is free, in whole pieces.")

    _check_amount = models.Constraint(
        "CHECK(quantity >= 0 AND share BETWEEN 0 AND 100 AND (quantity = 0 OR share = 0))",
        "Goods of a pool are kept by a quantity or by a share from 0 to 100 percent, not by both.",
    )

    @api.depends("product_id", "categ_id", "warehouse_id")
    def _compute_display_name(self):
        for line in self:
            goods = line.product_id.display_name or line.categ_id.display_name or self.env._("All products")
            place = line.warehouse_id.name or self.env._("each warehouse")
            line.display_name = f"{goods}, {place}"

    def _get_movable_quantity(self):
        """Return how much of one line can be given away: a quota only what its owners have not had in any place."""
        self.ensure_one()
        if self.share:
            return 0.0
        if self.pool_id.mode == "keep":
            return self.quantity
        return min((float(place[2]) for place in self.pool_id._get_fills()[self.id]), default=self.quantity)

    def _prepare_scope(self):
        self.ensure_one()
        return Scope(
            (self.id, self.quantity, round(self.share * WHOLE / 100)),
            self.product_id.id or 0,
            0 if self.product_id else self.categ_id.id or 0,
            0 if self.product_id or not self.categ_id else self.categ_id.parent_path.count("/"),
            self.warehouse_id.id or 0,
        )
