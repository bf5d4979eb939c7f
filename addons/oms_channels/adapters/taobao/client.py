"""HTTP only: one signed call of Taobao's open platform (TOP)."""

import re

from ..china import OpenPlatformClient, format_time, limited, parse_answer, read_grant
from ..errors import AuthError, BadResponse, Rejected, Unavailable
from ..values import to_text
from .signature import SIGN_METHOD, sign_call

PATH = "/router/rest"
# Codes of the platform itself. 15, 40 and 41 come with a sub-code that says more.
_SESSION_CODES = {26, 27, 53}
_KEY_CODES = {11, 12, 13, 24, 25, 28, 29, 42}
# The application may not make this one call.
_RIGHT_CODES = {11, 12, 13}
_CLOCK_CODES = {30, 31}
_RATE_CODES = {4, 5, 6, 7, 8}
_SESSION = re.compile(r"session(-?key)?|not-authorized|authori[sz]ation", re.IGNORECASE)
_RATE = re.compile(r"accesscontrol|call-limited|too-many-requests|flow-control", re.IGNORECASE)
NEW_SESSION = (
    "Log in to the shop's authorisation page of your application with the main account, and enter the new session key "
    "in this channel."
)


class TaobaoClient(OpenPlatformClient):
    how_to_authorise = NEW_SESSION

    def call(self, method, **content):
        """Return what the answer holds under ``<method>_response``."""
        key, secret, session = self._get_keys()
        params = {
            "method": method,
            "app_key": key,
            "session": session,
            "timestamp": format_time(self.clock()),
            "format": "json",
            "v": "2.0",
            "sign_method": SIGN_METHOD,
            **{name: _to_text(value) for name, value in content.items() if value is not None},
        }
        params["sign"] = sign_call(secret, params)
        response = self._post(f"{self.config.base_url}{PATH}", params)
        answer = parse_answer(response)
        if isinstance(answer.get("error_response"), dict):
            raise read_error(method, answer["error_response"])
        name = method.removeprefix("taobao.").replace(".", "_") + "_response"
        if not isinstance(answer.get(name), dict):
            raise BadResponse(f"Taobao's answer to {method} is not understood.")
        return answer[name]

    def refresh(self):
        """Exchange the refresh token. :return: Credentials"""
        token = self._get_refresh_token()
        params = {
            "grant_type": "refresh_token",
            "client_id": self.config.credentials.get("api_key") or "",
            "client_secret": self.config.credentials.get("api_secret") or "",
            "refresh_token": token,
        }
        url = self._get_token_url(".taobao.com", "https://oauth.taobao.com", "/token")
        answer = parse_answer(self._post(url, params, may_refuse=True))
        if answer.get("error"):
            what = to_text(answer.get("error_description") or answer["error"])[:200]
            raise AuthError(f"Taobao did not renew the session: {what}. {NEW_SESSION}")
        if not answer.get("access_token"):
            raise BadResponse("Taobao's answer to the renewal of the session has no token.")
        return read_grant(answer, token, self.clock())


def _to_text(value):
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def read_error(method, error):
    """The AdapterError for an ``error_response``: what starts with "isp." is the platform's trouble, "isv." ours."""
    code, sub = error.get("code"), to_text(error.get("sub_code"))
    code = int(code) if str(code).isdigit() else 0
    said = " ".join(filter(None, (to_text(error.get("sub_msg")), to_text(error.get("msg")))))[:250]
    message = f"{method} ({sub or code}): {said}"
    if code in _RATE_CODES or _RATE.search(sub):
        return limited(f"Taobao asks to slow down: {message}")
    if code in _SESSION_CODES or _SESSION.search(sub):
        return AuthError(f"The shop's session has ended or does not allow this: {message}. {NEW_SESSION}")
    if code in _CLOCK_CODES:
        return AuthError(f"Taobao refused the time of the call, {message}. Set this server's clock right.")
    if code in _KEY_CODES:
        return AuthError(
            f"Taobao refused the key or its rights: {message}. Check app key, secret and API packages.",
            is_shop_wide=code not in _RIGHT_CODES,
        )
    if sub.startswith("isp.") or code == 10:
        return Unavailable(f"Taobao has a problem: {message}")
    return Rejected(f"Taobao refused {message}")
