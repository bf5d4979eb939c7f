"""Orders in CSV and XLSX files, without the ORM: bytes -> rows -> orders of the API's schema, with what is wrong in
each row. Nothing here imports odoo; sentences are made by who shows them.
"""
