def uninstall_hook(env):
    """Take the counters of the waybill ranges along: nothing else knows that they are ours."""
    ranges = env["oms.waybill.range"].with_context(active_test=False).search([])
    counters = ranges.counter_id
    ranges.counter_id = False
    counters.unlink()
