from werkzeug.routing import BaseConverter

from odoo import models


class AnythingConverter(BaseConverter):
    """The rest of a path, whatever is in it: the usual converter leaves out line ends, and such a path of the API would
    be answered by an HTML page."""

    regex = "(?s:.+?)"
    part_isolating = False
    weight = 300


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _get_converters(cls):
        return {**super()._get_converters(), "oms_anything": AnythingConverter}
