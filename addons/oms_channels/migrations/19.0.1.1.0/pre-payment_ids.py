def migrate(cr, version):
    """A payment of the shop may be booked in several parts: the link goes the other way round."""
    cr.execute("ALTER TABLE account_payment ADD COLUMN IF NOT EXISTS oms_channel_payment_id integer")
    cr.execute(
        """
        UPDATE account_payment
           SET oms_channel_payment_id = booked.id
          FROM oms_channel_payment booked
         WHERE booked.payment_id = account_payment.id
        """
    )
