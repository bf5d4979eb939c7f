from odoo import api, models


class OmsCachedMixin(models.AbstractModel):
    """What rarely changes and is asked for each order: kept in the registry's cache (`ormcache`), and forgotten there
    when a record is made, changed or deleted."""

    _name = "oms.cached.mixin"
    _description = "Kept in the Cache"

    # Names of the fields that the cache rests on; None: all.
    _oms_cached_fields = None

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        res = super().write(vals)
        if self._oms_cached_fields is None or not vals.keys().isdisjoint(self._oms_cached_fields):
            self.env.registry.clear_cache()
        return res

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res
