import io

from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfFileReader

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestLabel(HttpCase, FulfillmentCommon):
    """Reports load their styles over HTTP, so a server must run."""

    def _render(self, parcels):
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        return report._render_qweb_pdf("oms_fulfillment.report_waybill", parcels.ids)[0]

    @staticmethod
    def _get_text(pdf):
        import pypdfium2  # only these tests need it

        return pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()

    def _create_labelled(self, lines=None):
        parcel = self._create_delivery(lines, carrier_id=self.express.id)._oms_create_parcels()
        parcel.action_pack()
        parcel.action_label()
        return parcel

    def test_the_label_tells_all_a_courier_needs(self):
        parcel = self._create_labelled()
        text = self._get_text(self._render(parcel))
        for words in (
            "Express",
            parcel.tracking_number,
            "张三",
            "+86 138 0000 0000",
            parcel.sale_id.name,
            "1.40",
            "OMS-MOUSE",
        ):
            self.assertIn(words, text)

    def test_each_parcel_is_one_page_of_100_by_150_mm(self):
        products = self.env["product.product"].create(
            [{"name": f"A product with a rather long name {n}", "is_storable": True} for n in range(12)]
        )
        for product in products:
            self._set_stock(product, 5)
        parcels = self._create_labelled() | self._create_labelled([(product, 1) for product in products])
        pages = PdfFileReader(io.BytesIO(self._render(parcels))).pages
        sizes = [tuple(round(float(side) / 72 * 25.4) for side in page.mediabox[2:]) for page in pages]
        self.assertEqual(sizes, [(100, 150)] * 2)

    def test_a_reprint_is_the_same_paper(self):
        parcel = self._create_labelled()
        first = self._render(parcel)
        number, date = parcel.tracking_number, parcel.label_date
        parcel.action_print_label()
        self.assertEqual(self._render(parcel), first)
        self.assertEqual((parcel.tracking_number, parcel.label_date), (number, date))
        parcel.invalidate_recordset()
        self.assertEqual(parcel.label_attachment_id.raw, first)

    def test_the_printed_barcode_scans(self):
        import pypdfium2
        import zxingcpp

        parcel = self._create_labelled()
        page = pypdfium2.PdfDocument(self._render(parcel))[0]
        image = page.render(scale=203 / 72).to_pil()  # as a label printer does: 203 dots an inch
        found = {(code.format.name, code.text) for code in zxingcpp.read_barcodes(image)}
        self.assertEqual(found, {("Code128", parcel.tracking_number)})
