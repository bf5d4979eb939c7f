from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestGeography(TransactionCase):
    def test_all_provinces_and_states_have_a_place(self):
        china = self.env["res.country.state"].search([("country_id.code", "=", "CN")])
        self.assertEqual(len(china), 34)
        america = self.env["res.country.state"].search(
            [("country_id.code", "=", "US"), ("code", "in", ("CA", "NY", "DC", "HI"))]
        )
        self.assertEqual(len(america), 4)
        for state in china | america:
            self.assertTrue(state.oms_latitude and state.oms_longitude, state.name)
        for state in china:
            self.assertTrue(18 < state.oms_latitude < 54 and 73 < state.oms_longitude < 135, state.name)

    def test_countries_have_a_place(self):
        missing = self.env["res.country"].search([("oms_latitude", "=", 0), ("oms_longitude", "=", 0)])
        self.assertLessEqual(set(missing.mapped("code")), {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"})

    def test_place_of_an_address_comes_from_the_best_source(self):
        china = self.env.ref("base.cn")
        province = self.env.ref("base.state_cn_ZJ")
        partner = self.env["res.partner"].create({"name": "Buyer"})
        self.assertEqual(partner._oms_get_place(), (None, "unknown"))
        partner.country_id = china
        self.assertEqual(partner._oms_get_place(), ((china.oms_latitude, china.oms_longitude), "country"))
        partner.state_id = province
        self.assertEqual(partner._oms_get_place(), ((province.oms_latitude, province.oms_longitude), "state"))
        partner.zip = "315 000"
        self.assertEqual(partner._oms_get_place(), ((29.8683, 121.5440), "postcode"))
        ningbo = self.env["oms.postcode"].create(
            {"country_id": china.id, "prefix": "3150", "latitude": 29.9, "longitude": 121.6}
        )
        self.assertEqual(partner._oms_get_place()[0], (29.9, 121.6), "the longest counts")
        ningbo.latitude = 29.8
        self.assertEqual(partner._oms_get_place()[0], (29.8, 121.6))
        partner.zip = "999999"
        self.assertEqual(partner._oms_get_place()[1], "state")
        partner.write({"partner_latitude": 30.27, "partner_longitude": 120.15})
        self.assertEqual(partner._oms_get_place(), ((30.27, 120.15), "address"))
        self.assertEqual(self.env["res.partner"]._oms_get_place(), (None, "unknown"))
