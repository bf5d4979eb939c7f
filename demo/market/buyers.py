"""Who buys and where they live: Chinese names, phones and addresses, and the mistakes people make in them."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent
# [province, city, district, postcode]
PLACES = json.loads((FOLDER / "places.json").read_text(encoding="utf-8"))
PEOPLE = json.loads((FOLDER / "people.json").read_text(encoding="utf-8"))


def make_buyer(rng):
    """{"buyer_id", "nick", "name", "mobile"}; the pool is small enough for people to come back."""
    number = rng.randrange(4000)
    own = type(rng)(number)
    name = own.choice(PEOPLE["surnames"]) + own.choice(PEOPLE["given"])
    mobile = own.choice(PEOPLE["mobiles"]) + f"{own.randrange(10**8):08d}"
    return {"buyer_id": f"u{number:06d}", "nick": f"{name[0]}**{number % 97}", "name": name, "mobile": mobile}


def make_receiver(rng, buyer):
    """Receiver as the buyer typed it, good."""
    province, city, district, postcode = rng.choice(PLACES)
    address = (
        f"{rng.choice(PEOPLE['streets'])}{rng.randrange(1, 999)}号{rng.choice(PEOPLE['estates'])}"
        f"{rng.randrange(1, 30)}栋{rng.randrange(1, 4)}单元{rng.randrange(1, 33)}0{rng.randrange(1, 5)}室"
    )
    return {
        "name": buyer["name"],
        "mobile": buyer["mobile"],
        "province": province,
        "city": city,
        "district": district,
        "address": address,
        "zip": postcode,
    }


def spoil_receiver(rng, receiver):
    """The same receiver with one mistake in it."""
    mistake = rng.choice(["no_street", "phone", "province", "no_name", "no_city"])
    if mistake == "no_street":
        return {**receiver, "address": ""}
    if mistake == "phone":
        return {**receiver, "mobile": rng.choice(["1380", "00000000000", "没有电话", "123456789012345"])}
    if mistake == "province":
        other = rng.choice([place for place in PLACES if place[0] != receiver["province"]])
        return {**receiver, "province": other[0]}
    if mistake == "no_name":
        return {**receiver, "name": ""}
    return {**receiver, "city": "", "district": ""}
