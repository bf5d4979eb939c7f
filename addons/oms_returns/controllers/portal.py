import re
import uuid

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request
from odoo.tools.misc import get_lang

from odoo.addons.portal.controllers.portal import CustomerPortal, pager


class ReturnPortal(CustomerPortal):
    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "return_count" in counters:
            values["return_count"] = self._get_returns_sudo().search_count(self._get_returns_domain())
        return values

    def _get_returns_sudo(self):
        # sudo: oms.return - one's own returns by the domain, also those of employees who handle none
        return request.env["oms.return"].sudo()

    def _get_returns_domain(self):
        # Internal users see their own here as well, as they do with orders.
        partner = request.env.user.partner_id.commercial_partner_id
        return [("partner_id", "child_of", partner.ids), ("state", "!=", "draft")]

    @http.route(["/my/returns", "/my/returns/page/<int:page>"], type="http", auth="user", website=True)
    def portal_my_returns(self, page=1, **kwargs):
        returns_sudo, domain = self._get_returns_sudo(), self._get_returns_domain()
        total = returns_sudo.search_count(domain)
        page_values = pager(url="/my/returns", total=total, page=page, step=self._items_per_page)
        returns_sudo = returns_sudo.search(domain, limit=self._items_per_page, offset=page_values["offset"])
        request.session["my_returns_history"] = returns_sudo.ids[:100]
        values = {
            **self._prepare_portal_layout_values(),
            "returns": returns_sudo,
            "page_name": "oms_return",
            "pager": page_values,
            "default_url": "/my/returns",
        }
        return request.render("oms_returns.portal_my_returns", values)

    @http.route("/my/returns/<int:return_id>", type="http", auth="public", website=True)
    def portal_return_page(self, return_id, access_token=None, message=None, **kwargs):
        return_sudo = self._get_return(return_id, access_token)
        if not return_sudo:
            return request.redirect("/my")
        values = {
            "oms_return": return_sudo,
            "page_name": "oms_return",
            "message": message,
            "res_company": return_sudo.company_id,
        }
        values = self._get_page_view_values(return_sudo, access_token, values, "my_returns_history", False, **kwargs)
        return request.render("oms_returns.portal_return_page", values)

    @http.route("/my/returns/<int:return_id>/cancel", type="http", auth="public", methods=["POST"], website=True)
    def portal_return_cancel(self, return_id, access_token=None, **kwargs):
        return_sudo = self._get_return(return_id, access_token)
        if not return_sudo:
            return request.redirect("/my")
        if return_sudo.state == "requested":
            return_sudo._cancel()
        return request.redirect(return_sudo.get_portal_url())

    @http.route("/my/orders/<int:order_id>/return", type="http", auth="public", methods=["GET", "POST"], website=True)
    def portal_order_return(self, order_id, access_token=None, **post):
        try:
            order_sudo = self._document_check_access("sale.order", order_id, access_token=access_token)
        except (AccessError, MissingError):
            return request.redirect("/my")
        errors = []
        if request.httprequest.method == "POST":
            try:
                # What is half written when a sentence for the buyer comes back must go.
                with request.env.cr.savepoint():
                    return_sudo = request.env["oms.return"]._create_from_portal(
                        order_sudo,
                        self._read_return_lines(order_sudo, post),
                        post.get("request_key") or str(uuid.uuid4()),
                        buyer_note=(post.get("buyer_note") or "").strip()[:2000],
                    )
                return request.redirect(return_sudo.get_portal_url(query_string="&message=sent"))
            except UserError as error:
                errors = str(error).split("\n")
        return self._render_return_form(order_sudo, access_token, post, errors)

    def _render_return_form(self, order_sudo, access_token, post, errors):
        """Show the form, with what was typed and what is wrong with it."""
        quantities = order_sudo._oms_get_portal_return_lines() if order_sudo._oms_can_ask_return() else {}
        if not quantities and not errors:
            return request.redirect(order_sudo.get_portal_url())
        # sudo: oms.return.reason - shown to the buyer of the order
        reasons_sudo = (
            request.env["oms.return.reason"]
            .sudo()
            .search([("is_portal", "=", True), ("company_id", "in", [order_sudo.company_id.id, False])])
        )
        values = {
            "sale_order": order_sudo,
            "quantities": quantities,
            "reasons": reasons_sudo,
            "policy": request.env["oms.return.policy"]._find_policies(order_sudo)[order_sudo],
            "errors": errors,
            "post": post,
            "request_key": post.get("request_key") or str(uuid.uuid4()),
            "page_name": "oms_return_form",
            "access_token": access_token,
            "res_company": order_sudo.company_id,
        }
        return request.render("oms_returns.portal_return_form", values)

    def _read_return_lines(self, order_sudo, post):
        """Return the lines that the buyer chose, as `_create_from_portal` takes them."""
        lines = []
        for line in order_sudo.order_line:
            quantity = self._read_quantity(post.get(f"quantity_{line.id}"))
            if quantity == 0.0:
                continue
            reason = post.get(f"reason_{line.id}") or ""
            lines.append(
                {
                    "sale_line": line,
                    "quantity": quantity,
                    # sudo: oms.return.reason - chosen by the buyer; what may be chosen is checked
                    "reason": request.env["oms.return.reason"]
                    .sudo()
                    .search(
                        [
                            ("id", "=", int(reason) if reason.isdecimal() else 0),
                            ("company_id", "in", [order_sudo.company_id.id, False]),
                        ]
                    ),
                    "buyer_note": (post.get(f"note_{line.id}") or "").strip()[:500],
                    "photos": [
                        (file.filename, self._read_file(file))
                        for file in request.httprequest.files.getlist(f"photos_{line.id}")
                        if file.filename
                    ],
                }
            )
        return lines

    @staticmethod
    def _read_quantity(text):
        """Return the number that a visitor typed, None when it is none. Decimals follow the point of the visitor's
        language, or a dot: browsers send it, whatever they show."""
        text = (text or "0").strip().replace(get_lang(request.env).decimal_point, ".")
        return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text) else None

    @staticmethod
    def _read_file(file):
        # A request that failed to serialize is run again, with its files read to their ends.
        file.seek(0)
        return file.read()

    def _get_return(self, return_id, access_token):
        """Return the return (sudo) that the visitor may see, or nothing."""
        try:
            return self._document_check_access("oms.return", return_id, access_token=access_token)
        except (AccessError, MissingError):
            return None
