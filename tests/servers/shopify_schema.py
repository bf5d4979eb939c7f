"""Shopify's own published schema of its Admin API, as ./oms installs it."""

import functools
import gzip
import json
import os
from pathlib import Path

from graphql import build_client_schema

from odoo.addons.oms_channels.adapters.shopify.queries import API_VERSION

_FOLDER = Path(os.environ.get("OMS_SHOPIFY_HOME") or "shopify") / "package/dist/data"


def is_installed():
    return _get_path(API_VERSION).is_file()


@functools.cache
def load_scopes(version=API_VERSION):
    """{(type, field or ""): [scopes]} of an app, each of which opens it; without those that are open to all."""
    with gzip.open(_get_path(version)) as file:
        rows = json.load(file)["offline_scopes"]["items"]
    return {(row["typeName"], row.get("fieldName", "")): row["offlineScopes"] for row in rows if row["offlineScopes"]}


@functools.cache
def load(version=API_VERSION):
    with gzip.open(_get_path(version)) as file:
        return build_client_schema(json.load(file)["data"], assume_valid=True)


def get_versions():
    """Dated versions that are published, the oldest first."""
    return sorted(path.name[6:13] for path in _FOLDER.glob("admin_20*.json.gz"))


def _get_path(version):
    return _FOLDER / f"admin_{version}.json.gz"
