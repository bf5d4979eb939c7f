"""Which Chinese city lies in which province, and which district in which city. Plain Python, no ORM.

The table knows prefectures and the districts and counties in them by the root of their names, so that a district and
the county it once was are one. What it does not know gets no verdict: places are renamed every year, and a false alarm
costs more than a miss that the carrier finds.
"""

import csv
import re
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parents[2] / "data/china_places.csv"
_PROVINCE_SUFFIX = re.compile(r"(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)$")
# What may follow the root of a prefecture's name: 市, 地区, 盟, 林区, or an autonomous prefecture's peoples.
_CITY_SUFFIX = re.compile(r"(?:市|地区|盟|林区|县|[\u4e00-\u9fff]{0,12}自治州|州)")
# A district at the start of a text; not 市 of 市场, 县 of 县道 and the like.
_DISTRICT = re.compile(r"([\u4e00-\u9fff]{2,8}?)(?:区(?!间)|县(?!道)|市(?![场民政中])|旗(?!舰))")


@cache
def _get_table():
    """Return ({city: provinces}, {district: cities}), read once a process."""
    provinces, cities = {}, {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            provinces.setdefault(row["city"], set()).add(row["province"])
            for district in row["districts"].split():
                cities.setdefault(district, set()).add(row["city"])
    return provinces, cities


def _find_city(text):
    """Return the prefecture a text starts with, and the rest of the text."""
    provinces, _cities = _get_table()
    for length in range(min(len(text), 5), 1, -1):
        root, rest = text[:length], text[length:]
        if root in provinces:
            if not rest:
                return root, ""
            if suffix := _CITY_SUFFIX.match(rest):
                return root, rest[suffix.end() :]
    return None, text


def find_mismatch(province_code, province_name, city, street):
    """Return the two names that do not belong together, or None when they do or nobody knows.

    :param province_code: code of Odoo's res.country.state, e.g. 浙
    :param province_name: its name, with which a city's text may start
    :param city: text of the city
    :param street: text that may start with the district
    """
    root = _PROVINCE_SUFFIX.sub("", province_name)
    text = "".join(city.split())
    for prefix in (province_name, root + "省"):
        text = text.removeprefix(prefix) or text
    provinces, cities = _get_table()
    name, rest = _find_city(text)
    if not name:
        return None
    if province_code not in provinces[name]:
        return province_name, name
    start = "".join(street.split())
    for prefix in (province_name, root + "省", name + "市"):
        start = start.removeprefix(prefix)
    district = _DISTRICT.match(rest or start)
    if district and name not in cities.get(district[1], {name}):
        return name, district[0]
    return None
