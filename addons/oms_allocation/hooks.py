import csv

from odoo.tools import file_open


def post_init_hook(env):
    """Fill in where countries, states and postcode areas are. Once, at installation: what an administrator corrects
    later stays."""
    _fill_coordinates(env)
    _fill_postcodes(env)


def _fill_postcodes(env):
    with file_open("oms_allocation/data/postcodes.csv") as stream:
        rows = list(csv.DictReader(stream))
    countries = {code: env.ref(f"base.{code}") for code in {row["country"] for row in rows}}
    env["oms.postcode"].create(
        [
            {
                "country_id": countries[row["country"]].id,
                "prefix": row["prefix"],
                "latitude": float(row["latitude"]),
                "longitude": float(row["longitude"]),
            }
            for row in rows
        ]
    )


def _fill_coordinates(env):
    with file_open("oms_allocation/data/coordinates.csv") as stream:
        places = {row["xmlid"]: row for row in csv.DictReader(stream)}
    found = env["ir.model.data"].search_fetch(
        [("module", "=", "base"), ("model", "in", ("res.country", "res.country.state")), ("name", "in", list(places))],
        ["name", "model", "res_id"],
    )
    for data in found:
        place = env[data.model].browse(data.res_id)
        if not place.oms_latitude and not place.oms_longitude:
            place.write(
                {
                    "oms_latitude": float(places[data.name]["latitude"]),
                    "oms_longitude": float(places[data.name]["longitude"]),
                }
            )


def uninstall_hook(env):
    """Let go what only this addon would let go: orders that wait until all their goods are there."""
    holds = env["oms.hold"].search([("type_id.code", "in", ("stock", "unfilled")), ("state", "=", "active")])
    holds._release(env._("OMS Allocation was uninstalled."), resolution="settled")
