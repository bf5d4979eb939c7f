from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Give each hold the one reason it had, and number releases and changes by their events."""
    if not version:
        return
    # Columns that holds no longer have are dropped only after this.
    version_id, group_id = (
        name if column_exists(cr, "oms_hold", name) else "NULL::integer" for name in ("version_id", "group_id")
    )
    cr.execute(
        "INSERT INTO oms_hold_reason (hold_id, rule_id, version_id, name, gate, group_id, auto_release_date,"
        f" create_uid, create_date, write_uid, write_date)"
        f" SELECT id, rule_id, {version_id}, reason, gate, {group_id}, auto_release_date,"
        " create_uid, create_date, write_uid, write_date"
        " FROM oms_hold hold WHERE NOT EXISTS (SELECT FROM oms_hold_reason WHERE hold_id = hold.id)"
    )
    cr.execute(
        "UPDATE oms_hold SET release_number = event.id"
        " FROM (SELECT res_id, MAX(id) AS id FROM oms_event"
        "        WHERE res_model = 'oms.hold' AND code = 'released' GROUP BY res_id) AS event"
        " WHERE event.res_id = oms_hold.id AND oms_hold.state = 'released'"
    )
    # When a part changed was kept by its time: the last change of the order stands for it.
    cr.execute(
        "UPDATE sale_order SET oms_changes = ("
        "    SELECT jsonb_object_agg(part, changed.id) FROM jsonb_object_keys(oms_changes) AS part)"
        " FROM (SELECT order_id, MAX(id) AS id FROM oms_event WHERE code = 'changed' GROUP BY order_id) AS changed"
        " WHERE changed.order_id = sale_order.id AND jsonb_typeof(oms_changes) = 'object' AND oms_changes != '{}'"
    )
