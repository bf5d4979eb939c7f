"""Shops, without the ORM: what comes in and goes out as frozen dataclasses. Nothing here imports odoo.

A new platform: a package with ``client`` (HTTP only), ``mapper`` (pure), ``signature`` (pure) and ``adapter``, and one
line in ``_PROVIDERS``; an addon of its own calls ``register_adapter``.
"""

from importlib import import_module

from . import base
from .errors import NotSupported

_PROVIDERS = {
    "amazon": ".amazon.adapter:AmazonAdapter",
    "api": ".api.adapter:ApiAdapter",
    "custom": ".custom.adapter:CustomAdapter",
    "jd": ".jd.adapter:JdAdapter",
    "marketplace": ".marketplace.adapter:MarketplaceAdapter",
    "medusa": ".medusa.adapter:MedusaAdapter",
    "shopify": ".shopify.adapter:ShopifyAdapter",
    "taobao": ".taobao.adapter:TaobaoAdapter",
    "vendure": ".vendure.adapter:VendureAdapter",
    "wechat": ".wechat.adapter:WechatAdapter",
    "woocommerce": ".woocommerce.adapter:WooCommerceAdapter",
}


def register_adapter(provider, adapter_class):
    """Add or replace the adapter class of a provider code."""
    _PROVIDERS[provider] = adapter_class


def get_adapter_class(provider):
    """Return the ChannelAdapter subclass of a provider code. Raises NotSupported for an unknown one."""
    target = _PROVIDERS.get(provider)
    if target is None:
        raise NotSupported(f"There is no adapter for provider {provider!r}.")
    if isinstance(target, str):
        module, name = target.split(":")
        target = getattr(import_module(module, __package__), name)
    return target


def get_providers():
    """Return the known provider codes, sorted."""
    return sorted(_PROVIDERS)
