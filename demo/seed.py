"""Makes the living example in a new database. Run once by `./oms run` in Odoo's shell, which provides ``env``.

OMS_MARKETPLACE_URL says where the simulated marketplace will answer, OMS_MARKETPLACE_STATE keeps its book.
"""

import os
from urllib.parse import urlsplit

from living import carriers, channels, company, goods, history, review, sourcing

url = os.environ["OMS_MARKETPLACE_URL"]
env = env(user=env.ref("base.user_admin"))  # noqa: F821  the shell's own
the_company = company.make_company(env)
warehouses = company.make_warehouses(env, the_company)
company.make_people(env)
products = goods.make_products(env)
goods.make_stock(env, products, warehouses)
carriers.make_carriers(env)
shops = channels.make_channels(env, url, warehouses)
sourcing.make_sourcing(env, shops, warehouses)
sourcing.keep_stock(env, shops, products)
review.make_review(env, shops, products)
env.cr.commit()
with history.OpenMarket(urlsplit(url).port, os.environ.get("OMS_MARKETPLACE_STATE")):
    history.make_history(env, shops)
    sourcing.reject_some(env)
    env.cr.commit()
    sourcing.try_strategy(env)
    review.rehearse(env)
env.cr.commit()
