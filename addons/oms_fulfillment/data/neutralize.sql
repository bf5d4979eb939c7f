-- carriers must not reach a copy of the database
UPDATE delivery_carrier SET oms_tracking_secret = NULL;
