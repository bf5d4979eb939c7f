"""The small trading company of the living example, made through Odoo's own business methods."""
