-- How long senders waited for their acknowledgement, from the decoded request on.
WITH 'spanwarden_receive_ack_seconds' AS metric,
-- include shared/metric-quantiles
