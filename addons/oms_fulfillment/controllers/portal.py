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
        return request.render("oms_fulfillment.portal_parcel_page", {"parcel": self._localise(parcel_sudo)})

    def _localise(self, parcel_sudo):
        """Return the parcel in the receiver's language and time zone, or the sender's zone: a public visitor has
        neither."""
        if not request.env.user._is_public():
            return parcel_sudo
        receiver = parcel_sudo.partner_id
        zone = receiver.tz or parcel_sudo.warehouse_id.partner_id.tz or parcel_sudo.company_id.partner_id.tz
        return parcel_sudo.with_context(lang=receiver.lang, tz=zone or request.env.context.get("tz"))
