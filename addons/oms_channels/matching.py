"""How a shop's listing is recognised as a product. Pure, no ORM."""

import re
from dataclasses import dataclass

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class MatchRule:
    """One way to find a product. ``kind``:

    sku: the shop's SKU is our internal reference; barcode: the shop's barcode is ours; sku_barcode: the shop's SKU is
    our barcode; cleaned: the SKU without what the shop puts around it is our internal reference; code: the SKU is in
    the table of codes; title: the title is our product's name.
    """

    kind: str
    prefix: str = ""
    suffix: str = ""
    ignores_case: bool = True
    ignores_separators: bool = True

    def get_key(self, sku, barcode, title):
        """Return what is looked for, "" when the listing does not say it."""
        if self.kind == "barcode":
            return (barcode or "").strip()
        if self.kind == "title":
            return (title or "").strip()
        sku = (sku or "").strip()
        return self.clean(sku) if self.kind == "cleaned" else sku

    def clean(self, code):
        """Return a code without prefix and suffix, and without what makes no difference."""
        folded = code.casefold() if self.ignores_case else code
        prefix, suffix = (self._fold(part) for part in (self.prefix, self.suffix))
        if prefix and folded.startswith(prefix):
            code = code[len(prefix) :]
        if suffix and self._fold(code).endswith(suffix):
            code = code[: -len(suffix)]
        return self.normalise(code)

    def normalise(self, code):
        """Return what of one of our own codes counts."""
        code = self._fold(code)
        return _SEPARATORS.sub("", code) if self.ignores_separators else code

    def _fold(self, text):
        return (text or "").casefold() if self.ignores_case else text or ""


# What counts while nobody has said otherwise.
DEFAULT_RULES = (MatchRule("sku"), MatchRule("barcode"))


def is_other_title(title, name):
    """Return whether a shop's title is not about the product of this name. A title may say more: which variant it is,
    or what sells it; case, blanks and punctuation make no difference."""
    wanted = _SEPARATORS.sub("", (name or "").casefold())
    return bool(title and wanted) and wanted not in _SEPARATORS.sub("", title.casefold())
