"""HTTP only: one call of WeChat's shop API (api.weixin.qq.com), with the token that the shop's own keys open."""

import json

from .. import http
from ..china import get_server_time, parse_answer
from ..errors import AuthError, RateLimited, Rejected, Unavailable
from ..values import to_text

TOKEN_PATH = "/cgi-bin/stable_token"
# developers.weixin.qq.com/doc/store/shop/dev_before/commErrCode; all others are refusals of what was asked.
_TOKEN_CODES = {"40001", "40014", "42001"}
_KEY_CODES = {
    "40013",
    "40125",
    "40164",
    "41001",
    "41002",
    "41004",
    "45035",
    "48001",
    "48004",
    "50001",
    "50002",
    "61004",
}
# Of one interface, not of the key.
_RIGHT_CODES = {"48001", "48004"}
# Seconds to wait: a day's quota is used up, a minute's is, an SKU's or an order's is (one refund a minute).
_RATE_CODES = {"45009": 3600.0, "45011": 60.0, "10020112": 60.0, "10021059": 60.0}
_OWN_RATE_CODES = {"10020112", "10021059"}
_BUSY_CODES = {"-1", "10021044"}


class WechatClient:
    """Asks for its token itself. WeChat answers with the same one while it is good, for all who ask, so that none is
    kept anywhere; one that has ended meanwhile is asked for again, once.

    :ivar server_time: what the platform's clock said in its last answer
    """

    def __init__(self, config, transport):
        self.config, self.transport = config, transport
        self.server_time, self._token = None, ""

    def call(self, path, method="POST", **content):
        """Return the JSON object of an answer. :param path: below /channels/ec/"""
        for is_again in (False, True):
            answer = self._request(method, f"/channels/ec/{path}", content, access_token=self.get_token(is_again))
            if _get_code(answer) not in _TOKEN_CODES:
                break
        _check(path, answer)
        return answer

    def get_token(self, is_again=False):
        """Return the access token. :param is_again: whether the one at hand was refused"""
        if is_again or not self._token:
            appid, secret = (to_text(self.config.credentials.get(name)) for name in ("api_key", "api_secret"))
            if not appid or not secret:
                raise AuthError("AppID and AppSecret are not set. Enter those of the shop, from its service market.")
            content = {"grant_type": "client_credential", "appid": appid, "secret": secret}
            answer = self._request("POST", TOKEN_PATH, content)
            _check("stable_token", answer)
            self._token = to_text(answer.get("access_token"))
            if not self._token:
                raise AuthError("WeChat gave no access token. Check AppID and AppSecret.")
        return self._token

    def _request(self, method, path, content, **params):
        response = self.transport(
            http.HttpRequest(
                method,
                f"{self.config.base_url}{path}",
                params=tuple(params.items()),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                body=None if method == "GET" else json.dumps(content, ensure_ascii=False).encode(),
            )
        )
        http.check_status(response)
        answer = parse_answer(response)
        self.server_time = get_server_time(response)
        return answer


def _get_code(answer):
    return to_text(answer.get("errcode") or 0)


def _check(path, answer):
    """Raise the AdapterError that fits the code of an answer."""
    code = _get_code(answer)
    if code == "0":
        return
    message = f"{path} ({code}): {to_text(answer.get('errmsg'))[:250]}"
    if code in _RATE_CODES:
        raise RateLimited(
            f"WeChat asks to slow down: {message}",
            retry_after=_RATE_CODES[code],
            is_shop_wide=code not in _OWN_RATE_CODES,
        )
    if code in _TOKEN_CODES or code in _KEY_CODES:
        raise AuthError(
            f"WeChat refused the key or its rights: {message}. Check AppID and AppSecret, the interfaces the shop has "
            "opened, and that this server's address is in its IP whitelist.",
            is_shop_wide=code not in _RIGHT_CODES,
        )
    if code in _BUSY_CODES:
        raise Unavailable(f"WeChat has a problem: {message}")
    raise Rejected(f"WeChat refused {message}")
