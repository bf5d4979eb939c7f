-- a copied database must not talk to real shops
UPDATE oms_channel
   SET api_key = NULL,
       api_secret = NULL,
       api_token = NULL,
       refresh_token = NULL,
       webhook_secret = NULL,
       webhook_secret_previous = NULL,
       is_pulling = false,
       is_publishing_stock = false;
DELETE FROM oms_channel_token;
UPDATE ir_cron
   SET active = false
 WHERE id IN (SELECT res_id FROM ir_model_data WHERE module = 'oms_channels' AND model = 'ir.cron');
UPDATE oms_api_key
   SET revoked_date = now() AT TIME ZONE 'UTC'
 WHERE revoked_date IS NULL;
