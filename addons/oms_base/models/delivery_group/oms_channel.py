from odoo import fields, models


class OmsChannel(models.Model):
    """Which orders of a channel may travel in one parcel."""

    _inherit = "oms.channel"

    merge_window_hours = fields.Float(
        string="Merge Within (hours)",
        default=72.0,
        help="Orders of the same buyer and address that were placed no further apart may go in one parcel."
        " 0: orders of this channel are never merged.",
    )
    merge_wait_hours = fields.Float(
        string="Wait for the Others (hours)",
        default=24.0,
        help="So long a confirmed order waits for those of its parcel that are not confirmed yet. 0: it does not wait.",
    )
    merge_weight_limit = fields.Float(
        string="Heaviest Merged Parcel",
        digits="Stock Weight",
        help="Orders are merged only up to this weight, in the unit of the products' weights. 0: no limit.",
    )
    merge_across_channels = fields.Boolean(
        string="Merge with Other Channels",
        help="Orders may also go with those of other channels that have this set, when receiver, phone and address"
        " are the same.",
    )
    split_minimum_value = fields.Float(
        string="Smallest Part",
        help="Orders are split only into parts whose goods are worth at least this, taxes included. 0: no minimum.",
    )


class OmsHoldType(models.Model):
    _inherit = "oms.hold.type"

    allows_merge = fields.Boolean(
        string="May Be Merged",
        help="Orders held for this may still be put into one parcel with others, as in a window of delay that waits for"
        " more orders of the buyer.",
    )
