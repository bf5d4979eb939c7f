"""The inbound API, said once in plain Python: what a partner may send and what is answered.

``schemas`` and ``operations`` are the only source: the controller finds its calls there, ``validation`` checks requests
with them, ``document`` writes the OpenAPI document and the page. Nothing here imports odoo.
"""
