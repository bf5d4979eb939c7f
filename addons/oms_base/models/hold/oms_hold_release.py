from functools import partial
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools.misc import format_datetime

from ...tools import notification, work_undisturbed


class ReleasePlan(NamedTuple):
    """What the word of a user would do to one hold.

    ``signatures`` are pairs (step, the user whose right it is); ``signatory`` is whose right releases the hold;
    ``refusal`` is the exception that says why the user can do nothing.
    """

    signatures: tuple = ()
    signatory: object = None
    is_complete: bool = False
    refusal: Exception | None = None


class OmsHold(models.Model):
    """Releasing: whose right it is, in which order, and what becomes of it."""

    _inherit = "oms.hold"

    can_release = fields.Boolean(compute="_compute_can_release", search="_search_can_release")

    @api.depends_context("uid")
    @api.depends(
        "type_id.group_id",
        "type_id.step_ids",
        "reason_ids.settled_date",
        "reason_ids.group_id",
        "approval_ids",
        "state",
    )
    def _compute_can_release(self):
        active = self.filtered(lambda hold: hold.state == "active")
        (self - active).can_release = False
        for hold, plan in active._plan_release().items():
            hold.can_release = not plan.refusal

    @api.model
    def _search_can_release(self, operator, value):
        """Search the active holds whose release, or next approval, is up to this user: only who looks knows whom the
        user stands in for, so each is looked at."""
        if operator != "in":
            return NotImplemented
        active = self.search([("state", "=", "active")])
        return Domain("id", "in", [hold.id for hold, plan in active._plan_release().items() if not plan.refusal])

    # === ACTION METHODS === #

    def action_release(self, comment=None):
        """Release the active holds among these, or approve their next step; what nothing else blocks goes on by itself.

        :param comment: kept with the hold, beside what the person typed in its form
        :raise AccessError: when the user lacks the right that a hold's type asks for
        """
        holds = self._lock_active()
        if not holds:
            return self._get_released_notification()
        plans = holds._plan_release()
        refusals = {hold: refusal for hold in holds if (refusal := hold._find_refusal(plans[hold], comment))}
        if refusals:
            raise next(iter(refusals.values())).__class__("\n".join(str(refusal) for refusal in refusals.values()))
        holds._apply_release(plans, comment)
        return holds._get_approved_notification()

    def _lock_active(self):
        """Return the active holds among these, locked, so that two reviewers never release one hold together.

        What somebody released since this transaction began fails to serialize here: Odoo then runs the request again,
        which finds it released.
        """
        holds = self.filtered(lambda hold: hold.state == "active")
        if busy := holds - holds.try_lock_for_update(allow_referencing=True):
            raise UserError("\n".join(hold._get_busy_message() for hold in busy))
        return holds

    def _get_busy_message(self):
        return self.env._(
            "%(hold)s is being worked on by somebody else at this moment. Look again in a while.",
            hold=self.display_name,
        )

    def _get_released_message(self):
        """Return who was faster with one released hold."""
        return self.env._(
            "%(hold)s was already released by %(user)s at %(date)s.",
            hold=self.display_name,
            user=self.release_user_id.display_name,
            date=format_datetime(self.env, self.release_date),
        )

    def _get_released_notification(self):
        """Tell a person who comes too late; who released them before needs no word."""
        others = self.filtered(lambda hold: hold.state == "released" and hold.release_user_id != self.env.user)
        return self._get_notification([hold._get_released_message() for hold in others], "warning")

    def _get_approved_notification(self):
        waiting = self.filtered(lambda hold: hold.state == "active")
        return self._get_notification(
            [f"{hold.display_name}: {hold._get_next_step_message()}" for hold in waiting], "info"
        )

    @api.model
    def _get_notification(self, sentences, kind):
        if not sentences:
            return True
        return notification("\n".join(sentences), kind)

    # === RIGHT === #

    def _plan_release(self):
        """Return {hold: ReleasePlan}: what this user may do to each of these active holds. Nothing is written."""
        represented = self.env["oms.substitute"]._get_represented_users()
        nobody = self.env["res.users"]
        return {
            hold: hold._plan_one_release(self.env.user | represented.get(hold.company_id.id, nobody)) for hold in self
        }

    def _plan_one_release(self, users):
        """Plan the release of one hold by the rights of ``users``: the person, and those the person stands in for."""
        steps = self._get_open_steps()
        if not steps:
            signatories = {group: self._find_signatory(group, users) for group in self._get_release_groups()}
            lacking = next((group for group, signatory in signatories.items() if not signatory), None)
            if lacking:
                return ReleasePlan(refusal=self._prepare_group_refusal(lacking))
            represented = [signatory for signatory in signatories.values() if signatory != self.env.user]
            return ReleasePlan(signatory=next(iter(represented), self.env.user), is_complete=True)
        signatures, refusal = [], None
        has_signed = self.env.user in self.approval_ids.user_id
        for step in steps:
            if self.type_id.is_four_eyes and not self.env.su and (signatures or has_signed):
                refusal = self._prepare_four_eyes_refusal(step)
                break
            signatory = self._find_signatory(step.group_id, users)
            if not signatory:
                refusal = self._prepare_group_refusal(step.group_id)
                break
            signatures.append((step, signatory))
        return ReleasePlan(
            signatures=tuple(signatures),
            signatory=signatures[-1][1] if signatures else None,
            is_complete=len(signatures) == len(steps),
            refusal=None if signatures else refusal,
        )

    def _get_release_groups(self):
        """Return the groups whose right it takes to release a hold without approval steps: for each of its reasons the
        one that its rule names, or that of the type."""
        # Not env.ref, which asks the database each time.
        reviewers_id = self.env["ir.model.data"]._xmlid_to_res_id("oms_base.oms_base_group_user")
        default = self.type_id.group_id or self.env["res.groups"].browse(reviewers_id)
        return default.browse().union(*(reason.group_id or default for reason in self.standing_reason_ids)) or default

    def _find_signatory(self, group, users):
        """Return the first of ``users`` who is in ``group``: the person himself before those he stands in for."""
        if self.env.su:
            return self.env.user
        # sudo: res.users - the groups of a colleague somebody stands in for
        return next((user for user in users if group in user.sudo().all_group_ids), None)

    def _prepare_group_refusal(self, group):
        return AccessError(
            self.env._(
                "%(hold)s can only be released by the group %(group)s. Ask one of its members.",
                hold=self.display_name,
                group=group.sudo().full_name,  # sudo: res.groups - its name only
            )
        )

    def _prepare_four_eyes_refusal(self, step):
        return AccessError(
            self.env._(
                "You have approved %(hold)s already. Another person has to approve the step %(step)s.",
                hold=self.display_name,
                step=step.name,
            )
        )

    def _find_refusal(self, plan, comment):
        """Return the exception that stops the release of one hold, if one does."""
        if plan.refusal or not self.type_id.is_comment_required or comment or self.release_comment:
            return plan.refusal
        return UserError(self.env._("%(hold)s needs a comment: say what was settled, and how.", hold=self.display_name))

    # === BUSINESS METHODS === #

    def _apply_release(self, plans, comment=None):
        """Write what was planned: sign the steps, and release the holds that none is left of."""
        self._sign(plans, comment)
        complete = self.filtered(lambda hold: plans[hold].is_complete)
        resolutions = complete._get_person_resolutions()
        for (resolution, signatory), holds in complete.grouped(
            lambda hold: (resolutions[hold], plans[hold].signatory)
        ).items():
            on_behalf = signatory if signatory != self.env.user else None
            holds._release(comment, resolution=resolution, on_behalf=on_behalf)

    def _get_person_resolutions(self):
        """Return {hold: resolution} for a release by a person: "corrected" when the order was changed after the hold
        was placed, otherwise "unchanged", which counts as a false alarm of the rule."""
        # sudo: oms.event - the timeline decides, whoever may read it
        events = (
            self.env["oms.event"]
            .sudo()
            .search_fetch(
                [("order_id", "in", self.order_id.ids), ("code", "in", ("held", "changed"))],
                ["order_id", "code", "res_model", "res_id"],
                order="id",
            )
        )
        placed = {event.res_id: event.id for event in events if event.code == "held" and event.res_model == self._name}
        changed = {event.order_id.id: event.id for event in events if event.code == "changed"}
        return {
            hold: "corrected"
            if hold.id in placed and changed.get(hold.order_id.id, 0) > placed[hold.id]
            else "unchanged"
            for hold in self
        }

    def _release(self, comment=None, resolution="settled", on_behalf=None):
        """Release without asking for the right: for the system itself, where the reason of the hold is gone.

        :param resolution: key of `oms.hold.resolution`
        :param on_behalf: res.users the releasing person stands in for
        """
        # sudo: oms.hold - who may release was decided before; nobody writes these fields by hand
        holds_sudo = self.sudo().filtered(lambda hold: hold.state == "active")
        if not holds_sudo:
            return
        values = {
            "state": "released",
            "release_date": fields.Datetime.now(),
            "release_user_id": self.env.uid,
            "resolution": resolution,
        }
        if comment:
            values["release_comment"] = comment
        holds_sudo.write(values)
        holds_sudo._close_escalation()
        holds_sudo._log_release(resolution, on_behalf)
        holds_sudo.order_id._oms_trigger_review()

    def _log_release(self, resolution, on_behalf=None):
        """Tell the timelines how these holds ended, by whose right, and with which words."""
        label = dict(self._fields["resolution"]._description_selection(self.env))[resolution]
        for hold_type, holds in self.grouped("type_id").items():
            parts = [hold_type.name, label, self._get_on_behalf_label(on_behalf)]
            messages = {
                hold.order_id.id: " · ".join(part for part in (*parts, hold.release_comment) if part) for hold in holds
            }
            data = {"resolution": resolution, "on_behalf_id": on_behalf.id if on_behalf else False}
            events = holds.order_id._oms_log_event("released", message=messages, document=holds, data=data)
            holds.release_number = max(events._ids)

    @api.model
    def _get_on_behalf_label(self, user):
        # sudo: res.users - the name of a colleague
        return self.env._("on behalf of %(user)s", user=user.sudo().name) if user else ""

    # === BACKGROUND === #

    @api.model
    def _cron_release_holds(self):
        """Release the holds whose time has come, and those of pre-sales that wait for nothing any more."""
        self._release_matching(
            Domain("auto_release_date", "<=", fields.Datetime.now()),
            self.env._("Released by itself at the set time."),
            "expired",
        )
        self._release_matching(
            self._get_settled_presale_domain(),
            self.env._("The balance is paid and the ship date has come."),
            "settled",
        )

    @api.model
    def _release_matching(self, domain, comment, resolution, limit=1000):
        """Release the active holds of a domain in batches, each in a transaction of its own."""
        domain &= Domain("state", "=", "active")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(domain))

        def release(holds):
            locked = holds.try_lock_for_update(allow_referencing=True)
            locked.filtered_domain(domain)._release(comment, resolution=resolution)

        cron._oms_work_in_steps(
            self.search(domain, order="id", limit=limit),
            lambda holds: len(holds) if work_undisturbed(self.env, partial(release, holds)) else 0,
        )

    @api.model
    def _get_settled_presale_domain(self):
        """Return the domain of the holds of type "presale" whose order waits for neither its balance nor its day."""
        return Domain("type_id.code", "=", "presale") & Domain(
            "order_id", "any", Domain("oms_awaits_balance", "=", False) & Domain("oms_awaits_ship_date", "=", False)
        )
