from odoo.exceptions import ValidationError
from odoo.tests import BaseCase, tagged

from odoo.addons.oms_base.models.facts.address import Address, check_address
from odoo.addons.oms_base.models.facts.china import find_mismatch
from odoo.addons.oms_base.tests.fact_common import FactCommon


class TestChina(BaseCase):
    def test_places_that_belong_together(self):
        for place in (
            ("浙", "浙江省", "杭州市", "西湖区北山街 12 号"),
            ("浙", "浙江省", "浙江省 杭州", "文三路"),
            ("京", "北京市", "北京市", "朝阳区建国路"),
            ("苏", "江苏省", "南通市", "通州区金沙镇"),
            ("鄂", "湖北省", "恩施土家族苗族自治州", "利川市"),
            ("吉", "吉林省", "吉林市", "昌邑区"),
        ):
            self.assertIsNone(find_mismatch(*place), place)

    def test_places_that_do_not(self):
        self.assertEqual(find_mismatch("粤", "广东省", "杭州市", "西湖区"), ("广东省", "杭州"))
        self.assertEqual(find_mismatch("浙", "浙江省", "杭州市", "天河区体育西路"), ("杭州", "天河区"))

    def test_unknown_places_get_no_verdict(self):
        for place in (
            ("粤", "广东省", "Hangzhou", ""),
            ("浙", "浙江省", "义乌市", "稠城街道"),
            ("浙", "浙江省", "杭州市", "高新区"),
            ("粤", "广东省", "佛山市", "东城市场 1 号"),
        ):
            self.assertIsNone(find_mismatch(*place), place)


class TestCheckAddress(BaseCase):
    GOOD = Address(
        *("张三", "文三路 90 号", False, "杭州市", "310012", "+86 138 0000 0000"),
        *(48, "CN", True, 1, "浙", "浙江省"),
    )

    def test_good_address(self):
        check = check_address(self.GOOD)
        self.assertTrue(check.key)
        self.assertEqual(check[1:], ((), "", None, False))
        self.assertEqual(check_address(self.GOOD._replace(name="王五", phone="12")).key, check.key, "not its receiver")

    def test_what_is_wrong_with_it(self):
        bare = check_address(self.GOOD._replace(street=False, state_id=False))
        self.assertEqual((bare.key, bare.missing, bare.mismatch), (None, ("street", "state_id"), None))
        spoilt = check_address(self.GOOD._replace(street="文三路 <b>", city="广州市", phone="12"))
        self.assertEqual(spoilt.forbidden, "<>")
        self.assertEqual((spoilt.mismatch, spoilt.is_phone_invalid), (("浙江省", "广州"), True))


@tagged("post_install", "-at_install")
class TestFactAddress(FactCommon):
    def _order_to(self, **values):
        return self._create_order(partner_id=self._create_buyer("李四", **values).id)

    def test_good_address_has_no_problem(self):
        order = self._create_order()
        self.assertFalse(order.oms_address_problem)
        for name in ("oms_is_address_incomplete", "oms_has_forbidden_characters", "oms_is_address_mismatch"):
            self.assertFalse(order[name], name)
        self.assertFalse(order.oms_is_phone_invalid or order.oms_is_remote or order.oms_is_undeliverable)

    def test_each_issue_is_its_own_fact_and_a_problem(self):
        good = self._create_order()
        bad = {
            "oms_is_address_incomplete": self._order_to(street=False),
            "oms_has_forbidden_characters": self._order_to(street="文三路 <b>90</b> 号 😀"),
            "oms_is_address_mismatch": self._order_to(state_id=self.env.ref("base.state_cn_GD").id),
            "oms_is_phone_invalid": self._order_to(phone="00000000000"),
        }
        orders = good.union(*bad.values())
        for name, order in bad.items():
            self.assertEqual(self._assert_found(orders, name), order)
            self.assertTrue(order.oms_address_problem)
        self.assertEqual(self._assert_found(orders, "oms_address_problem"), orders - good)
        self.assertIn("😀", bad["oms_has_forbidden_characters"].oms_address_problem)

    def test_masked_phone_is_not_judged(self):
        self.assertFalse(self._order_to(phone="138****0000").oms_is_phone_invalid)

    def test_areas(self):
        Area = self.env["oms.area"]
        other = self.env["oms.channel"].create({"name": "Other", "code": "other"})
        china = self.country.id
        Area.create({"kind": "undeliverable", "country_id": china, "city": "三沙"})
        Area.create({"kind": "remote", "country_id": china, "zip_from": "850 000", "zip_to": "85"})
        Area.create({"kind": "remote", "country_id": china, "zip_prefix": "310", "channel_ids": other.ids})
        Area.create({"kind": "remote", "country_id": False, "city": "墨脱县"})
        island = self._order_to(city="三沙市", state_id=self.env.ref("base.state_cn_HI").id)
        tibet = self._order_to(zip="851400", city="拉萨市", state_id=self.env.ref("base.state_cn_XZ").id)
        county = self._order_to(city="林芝市", street="墨脱县 1 号", state_id=self.env.ref("base.state_cn_XZ").id)
        near = self._create_order()
        near_of_other = self._create_order(channel_id=other.id)
        plain = self._create_order(channel_id=False, partner_id=island.partner_id.id)
        orders = island | tibet | county | near | near_of_other | plain
        self.assertEqual(self._assert_found(orders, "oms_is_undeliverable"), island)
        self.assertEqual(self._assert_found(orders, "oms_is_remote"), tibet | county | near_of_other)
        self.assertTrue(island.oms_address_problem)
        self.assertFalse(tibet.oms_address_problem)

    def test_area_of_nothing_is_refused(self):
        with self.assertRaises(ValidationError):
            self.env["oms.area"].create({"kind": "remote", "country_id": False})

    def test_changed_address_is_judged_anew(self):
        order = self._order_to(street=False)
        self.assertTrue(order.oms_is_address_incomplete)
        order.partner_shipping_id.street = "文三路 90 号"
        self.assertFalse(order.oms_is_address_incomplete)
