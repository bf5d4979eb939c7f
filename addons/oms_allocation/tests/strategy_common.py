from odoo.fields import Command

from .common import OmsAllocationCommon


class SourcingCommon(OmsAllocationCommon):
    """A channel whose orders are sourced by a strategy that each test describes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.strategy = cls.env["oms.sourcing.strategy"].create({"name": "Test"})
        cls.channel.oms_strategy_id = cls.strategy

    @classmethod
    def _set_aims(cls, *types, mode="ordered", **weights):
        cls.strategy.write(
            {
                "aim_mode": mode,
                "aim_ids": [
                    Command.clear(),
                    *(
                        Command.create({"type": type_, "sequence": number, "weight": weights.get(type_, 1.0)})
                        for number, type_ in enumerate(types or weights)
                    ),
                ],
            }
        )

    @classmethod
    def _add_rule(cls, **values):
        return cls.env["oms.sourcing.rule"].create({"strategy_id": cls.strategy.id, **values})

    def _get_decision(self, order):
        return order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation").sorted("id")[-1:]
