-- The same in figures. Tokens and cost are those that are counted once; without a call
-- whose price is known there is no cost.
-- include session/spans
SELECT
  countIf(OperationName IN ('chat', 'generate_content', 'text_completion')) AS `model calls`,
  countIf(OperationName = 'execute_tool') AS `tool calls`,
  countIf(StatusCode IN ('Error', 'STATUS_CODE_ERROR')) AS errors,
  (
    SELECT count()
    FROM findings FINAL
    WHERE TraceId IN (SELECT TraceId FROM trace_ids)
  ) AS findings,
  sum(toUInt64OrZero(Facts['spanwarden.usage.input_tokens'][1])) AS `input tokens`,
  sum(toUInt64OrZero(Facts['spanwarden.usage.output_tokens'][1])) AS `output tokens`,
  sumOrNullIf(
    toFloat64OrZero(Facts['spanwarden.usage.cost_usd'][1]), mapContains(Facts, 'spanwarden.usage.cost_usd')) AS cost,
  if(count() = 0, NULL, dateDiff('millisecond', min(Timestamp), max(addNanoseconds(Timestamp, Duration)))) AS duration
FROM spans
SETTINGS $__adHocFilters('otel_traces')
