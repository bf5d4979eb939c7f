def migrate(cr, version):
    """Drop what decisions no longer keep: their company and channel are those of their order."""
    cr.execute("ALTER TABLE oms_decision DROP COLUMN IF EXISTS company_id, DROP COLUMN IF EXISTS channel_id")
