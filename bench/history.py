"""Makes a long history out of a short one: every row that a run of the flow left behind is copied in SQL, k times.

What belongs to the flow is found, not listed: all rows with an id above the highest one there was before. Foreign keys
between such rows are shifted with them, so the copies are whole orders with transfers, invoices and messages.
"""

from databases import sql

# Rows that are shared by orders, or that belong to the machinery, are not multiplied.
LEFT_ALONE = {
    "stock_quant",
    "ir_sequence",
    "bus_bus",
    "mail_mail",
    "ir_cron_trigger",
    "ir_attachment",
    "ir_cron_progress",
}
# (table, column): expression of the copy; `k` is its number, `{step}` how many rows one copy has
SPECIAL = {
    ("account_move", "sequence_number"): "t.sequence_number + k * {step}",
    ("account_move", "name"): "t.sequence_prefix || lpad((t.sequence_number + k * {step})::text, 5, '0')",
    (
        "account_move_line",
        "move_name",
    ): "(SELECT m.sequence_prefix || lpad((m.sequence_number + k * {step})::text, 5, '0') "
    "FROM account_move m WHERE m.id = t.move_id)",
    ("stock_picking", "name"): "t.name || '/' || k",  # unique in a company
    ("sale_order", "name"): "t.name || '/' || k",
    ("stock_reference", "name"): "t.name || '/' || k",
    ("stock_picking", "origin"): "t.origin || '/' || k",
    ("stock_move", "origin"): "t.origin || '/' || k",
    ("account_move", "invoice_origin"): "t.invoice_origin || '/' || k",
}


def highest_ids(database):
    """The highest id of each table: where the rows of the coming run begin."""
    tables = [row[0] for row in sql(database, _TABLES_WITH_ID)]
    union = " UNION ALL ".join(f"SELECT '{table}', coalesce(max(id), 0) FROM \"{table}\"" for table in tables)
    return {table: int(highest) for table, highest in sql(database, union)}


def multiply(database, before, copies, step):
    """Add ``copies`` copies of all rows that came since ``before``.

    :param before: what `highest_ids` gave before the run
    :param step: number of orders (and of invoices) of the run
    """
    after = highest_ids(database)
    span = {
        table: after[table] - before[table]
        for table in after
        if after[table] > before[table] and table not in LEFT_ALONE
    }
    columns, keys = _columns(database), _foreign_keys(database)
    unique_texts = {(table, column) for table, column in sql(database, _UNIQUE_TEXTS)}
    statements = ["SET session_replication_role = replica"]  # the copies refer to rows that come later
    for table in columns:
        references = {column: target for column, target in keys.get(table, ()) if target in span}
        if table in span:
            where = f"t.id > {before[table]}"
        elif "id" not in columns[table] and references:
            where = " OR ".join(f"t.{column} > {before[target]}" for column, target in references.items())
        else:
            continue
        copied = []
        for column in columns[table]:
            if column == "id":
                value = f"t.id + k * {span[table]}"
            elif column in references:
                target = references[column]
                value = (
                    f"CASE WHEN t.{column} > {before[target]} THEN t.{column} + k * {span[target]} ELSE t.{column} END"
                )
            elif column == "res_id" and table in ("mail_message", "oms_event"):
                value = _document_reference(table, before, span)
            elif (table, column) in SPECIAL:
                value = SPECIAL[table, column].format(step=step)
            elif (table, column) in unique_texts:
                value = f"t.{column} || '~' || k"
            else:
                value = f't."{column}"'
            copied.append(value)
        names = ", ".join(f'"{column}"' for column in columns[table])
        statements.append(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(copied)} "
            f"FROM {table} t, generate_series(1, {copies}) k WHERE {where}"
        )
    statements += [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}" for table in span]
    sql(database, "; ".join(statements))
    sql(database, "VACUUM ANALYZE")


def _document_reference(table, before, span):
    model = "model" if table == "mail_message" else "res_model"
    cases = "".join(
        f" WHEN replace(t.{model}, '.', '_') = '{target}' AND t.res_id > {before[target]} THEN t.res_id + k * {size}"
        for target, size in span.items()
    )
    return f"CASE{cases} ELSE t.res_id END"


def _columns(database):
    columns = {}
    for table, column in sql(database, _ALL_COLUMNS):
        columns.setdefault(table, []).append(column)
    return columns


def _foreign_keys(database):
    keys = {}
    for table, column, target in sql(database, _FOREIGN_KEYS):
        keys.setdefault(table, []).append((column, target))
    return keys


_TABLES_WITH_ID = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.atttypid = 'int4'::regtype AND a.atthasdef
"""
_ALL_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attgenerated = '' ORDER BY c.relname, a.attnum
"""
_FOREIGN_KEYS = """
    SELECT c.conrelid::regclass, a.attname, c.confrelid::regclass FROM pg_constraint c
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND array_length(c.conkey, 1) = 1
"""
_UNIQUE_TEXTS = """
    SELECT DISTINCT i.indrelid::regclass, a.attname FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey::int2[])
     WHERE i.indisunique AND a.atttypid IN ('varchar'::regtype, 'text'::regtype)
"""
