from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class ParcelPortal(CustomerPortal):
    @http.route("/my/parcel/<int:parcel_id>", type="http", auth="public", website=True)
    def portal_parcel(self, parcel_id, access_token=None, **kwargs):
        """The way of one parcel, for who has the link of the message."""
        try:
            parcel_sudo = self._document_check_access("oms.parcel", parcel_id, access_token)
        except (AccessError, MissingError):
            return request.redirect("/my")
        # The mails and pages of a public visitor have no language of their own: take the receiver's.
        lang = parcel_sudo.partner_id.lang if request.env.user._is_public() else request.env.lang
        return request.render("oms_fulfillment.portal_parcel_page", {"parcel": parcel_sudo.with_context(lang=lang)})
