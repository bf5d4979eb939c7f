from odoo import api, models


class OmsCachedMixin(models.AbstractModel):
    """What rarely changes and is asked for each order: kept in the registry's cache (`ormcache`), and forgotten there
    when a record is made, changed or deleted."""

    _name = "oms.cached.mixin"
    _description = "Kept in the Cache"

    # Names of the fields that the cache rests on, added up over all addons that extend the model; None: all.
    _oms_cached_fields = None

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        res = super().write(vals)
        names = self._oms_get_cached_fields()
        if not names or not vals.keys().isdisjoint(names):
            self.env.registry.clear_cache()
        return res

    @api.model
    def _oms_get_cached_fields(self):
        """Return what all addons name: two that do not know each other both extend a model."""
        named = (parent.__dict__.get("_oms_cached_fields") for parent in type(self).__mro__)
        return frozenset().union(*(names for names in named if names))

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res
