-- How long it took from taking a span in until all of its segment was in ClickHouse.
WITH 'spanwarden_store_lag_seconds' AS metric,
-- include shared/metric-quantiles
