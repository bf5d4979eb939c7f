"""HTTP only: one signed call of JD's open platform (JOS)."""

from ..china import OpenPlatformClient, dump, format_time, limited, parse_answer, read_grant
from ..errors import AuthError, BadResponse, Rejected, Unavailable
from ..values import to_text
from .signature import sign_call

PATH = "/routerjson"
# Codes of the gateway; all others are refusals of what was asked.
_RATE_CODES = {"2"}
_CLOCK_CODES = {"7", "8"}
_TOKEN_CODES = {"18", "19"}
_KEY_CODES = {"11", "12", "20", "21"}
# The application may not make this one call: its API package is missing.
_RIGHT_CODES = {"22", "24", "25", "64", "72", "73"}
_BUSY_CODES = {"43", "65", "66", "67", "69"}
NEW_TOKEN = (
    "Authorise your application in the shop's back office again, and enter the new access token in this channel."
)


class JdClient(OpenPlatformClient):
    how_to_authorise = NEW_TOKEN

    def call(self, method, result, **content):
        """Return the object ``result`` of the answer. A failure inside of it is raised as well.

        :param content: what goes into ``360buy_param_json``
        """
        key, secret, token = self._get_keys()
        params = {
            "method": method,
            "app_key": key,
            "access_token": token,
            "timestamp": format_time(self.clock()),
            "v": "2.0",
            "format": "json",
            "360buy_param_json": dump({name: value for name, value in sorted(content.items()) if value is not None}),
        }
        params["sign"] = sign_call(secret, params)
        response = self._post(f"{self.config.base_url}{PATH}", params)
        return self._read(method, result, parse_answer(response))

    @staticmethod
    def _read(method, result, answer):
        if isinstance(answer.get("error_response"), dict):
            raise read_error(method, answer["error_response"])
        # The platform spells it so; some of its answers have it right.
        name = method.replace(".", "_")
        body = answer.get(f"{name}_responce") or answer.get(f"{name}_response")
        if not isinstance(body, dict):
            raise BadResponse(f"JD's answer to {method} is not understood.")
        if to_text(body.get("code")) not in ("", "0", "200"):
            raise read_error(method, body)
        if not result:
            return body
        found = body.get(result)
        if not isinstance(found, dict):
            raise BadResponse(f"JD's answer to {method} has no {result}.")
        verdict = found.get("apiResult") if isinstance(found.get("apiResult"), dict) else found
        if to_text(verdict.get("success")).lower() == "false":
            what = to_text(verdict.get("chineseErrCode") or verdict.get("englishErrCode") or verdict.get("errorMsg"))
            code = to_text(verdict.get("numberCode") or verdict.get("errorCode"))
            raise Rejected(f"JD refused {method} ({code}): {what[:250]}")
        return found

    def refresh(self):
        """Exchange the refresh token. :return: Credentials"""
        token = self._get_refresh_token()
        params = {
            "grant_type": "refresh_token",
            "app_key": self.config.credentials.get("api_key") or "",
            "app_secret": self.config.credentials.get("api_secret") or "",
            "refresh_token": token,
        }
        url = self._get_token_url(".jd.com", "https://open-oauth.jd.com", "/oauth2/refresh_token")
        answer = parse_answer(self._post(url, params))
        if not answer.get("access_token"):
            what = to_text(answer.get("msg") or answer.get("code"))[:200]
            raise AuthError(f"JD did not renew the access token: {what}. {NEW_TOKEN}")
        return read_grant(answer, token, self.clock())


def read_error(method, error):
    """The AdapterError for an ``error_response``."""
    code = to_text(error.get("code"))
    said = to_text(error.get("zh_desc") or error.get("en_desc") or error.get("msg"))[:250]
    message = f"{method} ({code}): {said}"
    if code in _RATE_CODES:
        return limited(f"JD asks to slow down: {message}")
    if code in _TOKEN_CODES or "access_token" in said.lower():
        return AuthError(f"The shop's access token has ended: {message}. {NEW_TOKEN}")
    if code in _CLOCK_CODES:
        return AuthError(f"JD refused the time of the call, {message}. Set this server's clock right.")
    if code in _KEY_CODES | _RIGHT_CODES:
        return AuthError(
            f"JD refused the key or its rights: {message}. Check app key, secret and API packages.",
            is_shop_wide=code in _KEY_CODES,
        )
    if code in _BUSY_CODES:
        return Unavailable(f"JD has a problem: {message}")
    return Rejected(f"JD refused {message}")
