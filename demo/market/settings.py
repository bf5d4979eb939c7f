"""All that can be set, by command line and while it runs by POST /admin/settings."""

from dataclasses import asdict, dataclass, field, fields


class SettingError(ValueError):
    """A setting that cannot be; the message is for a person."""


@dataclass
class Shop:
    """One shop of the platform: what a merchant gets when the application is approved."""

    code: str
    name: str
    kind: str
    app_key: str
    app_secret: str
    webhook_url: str = ""
    webhook_secret: str = ""
    prefix: str = ""
    share: float = 1.0  # of the orders

    def as_public(self):
        """Without its secrets."""
        return {key: value for key, value in asdict(self).items() if "secret" not in key}


@dataclass
class Settings:
    """``rate`` is orders a minute over all shops; the others are chances from 0 to 1, per order or per call."""

    rate: float = 30.0
    unpaid: float = 0.1  # placed first, paid later
    edit: float = 0.06  # address, quantity or message changed after the order
    cancel: float = 0.05
    refund_request: float = 0.05  # money asked back before or after shipping
    again: float = 0.05  # the buyer of the shop's last order buys once more
    bad_address: float = 0.06
    unknown_sku: float = 0.01
    webhook_duplicate: float = 0.1
    webhook_disorder: float = 0.1
    webhook_loss: float = 0.03
    throttle: float = 0.02  # 429 with Retry-After
    outage: float = 0.01  # 503
    busy: float = 0.01  # HTTP 200 with an error code in it
    half: float = 0.005  # an answer cut in the middle
    hang: float = 0.002  # no answer for hang_seconds
    hang_seconds: float = 30.0
    calls_per_second: float = 20.0  # per shop; more are answered 429
    pause: bool = False  # no new orders, and nobody changes their mind
    bounds: dict = field(
        default_factory=lambda: {"rate": 6000, "hang_seconds": 300, "calls_per_second": 1000}, repr=False
    )

    def update(self, values):
        """Take over what is given; all or nothing. Raises SettingError that names the bad one."""
        known = {one.name for one in fields(self)} - {"bounds"}
        clean = {}
        for name, value in values.items():
            if name not in known:
                raise SettingError(f"There is no setting {name!r}. Known: {', '.join(sorted(known))}.")
            clean[name] = value if name == "pause" and isinstance(value, bool) else self._read(name, value)
        for name, value in clean.items():
            setattr(self, name, value)

    def _read(self, name, value):
        top = self.bounds.get(name, 1)
        try:
            number = parse_rate(value) if name == "rate" else float(value)
        except (TypeError, ValueError) as error:
            raise SettingError(f"{name}: {value!r} is no number.") from error
        if not 0 <= number <= top:
            raise SettingError(f"{name}: {value!r} is not between 0 and {top}.")
        return bool(number) if name == "pause" else number

    def as_dict(self):
        return {key: value for key, value in asdict(self).items() if key != "bounds"}

    def silence(self):
        """Turn every fault and every change of mind off: a market that only sells."""
        keep = {"rate", "hang_seconds", "calls_per_second", "pause", "bounds"}
        for one in fields(self):
            if one.name not in keep:
                setattr(self, one.name, 0.0)
        self.calls_per_second = 1000.0


def parse_rate(value):
    """Orders a minute of "30/min", "2/s", "600/h" or a number."""
    if isinstance(value, int | float):
        return float(value)
    number, _slash, unit = str(value).partition("/")
    factors = {"": 1, "min": 1, "m": 1, "s": 60, "sec": 60, "h": 1 / 60, "hour": 1 / 60}
    if unit not in factors:
        raise ValueError(value)
    return float(number) * factors[unit]


SHOPS = [
    Shop("tmall", "云栖旗舰店", "tmall", "tm-demo-key", "tm-demo-secret", prefix="TM", share=5),
    Shop("jd", "云栖自营专区", "jd", "jd-demo-key", "jd-demo-secret", prefix="JD", share=3),
    Shop("mini", "云栖小程序", "miniprogram", "mp-demo-key", "mp-demo-secret", prefix="MP", share=2),
]
