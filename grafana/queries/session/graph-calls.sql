-- What the graph is made of: who called what, and which domains it reached.
-- include session/spans
,
  calls AS (
    SELECT
      coalesce(
        nullIf(clean(AgentName), ''),
        nullIf(clean(anyIf(AgentName, AgentName != '') OVER (PARTITION BY TraceId)), ''),
        clean(ServiceName)) AS Caller,
      multiIf(ToolName != '', 'tool', OperationName IN ('chat', 'generate_content', 'text_completion'), 'model', '') AS Kind,
      clean(if(Kind = 'tool', toString(ToolName), toString(RequestModel))) AS Called,
      StatusCode IN ('Error', 'STATUS_CODE_ERROR') AS Failed,
      arrayMap(domain -> clean(domain), Facts['spanwarden.effect.external_domains']) AS Domains
    FROM spans
    WHERE OperationName != '' OR ToolName != ''
  ),
  edges AS (
    SELECT concat('agent ', Caller) AS Source, concat(Kind, ' ', Called) AS Target, count() AS Calls, countIf(Failed) AS Errors
    FROM calls
    WHERE Kind != '' AND Called != ''
    GROUP BY Source, Target
    UNION ALL
    SELECT concat('tool ', Called), concat('domain ', domain), count(), countIf(Failed)
    FROM calls
    ARRAY JOIN Domains AS domain
    WHERE Kind = 'tool' AND Called != ''
    GROUP BY Called, domain
  )
