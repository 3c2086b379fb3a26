-- What the agent did for the first time in this time range, out of all that is kept.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  First AS `First seen`,
  What,
  clean(Value) AS Name,
  clean(Detail) AS Details,
  Times,
  Trace AS TraceId
FROM (
  SELECT
    transform(Kind,
      ['external_domain', 'program', 'sql_table', 'sql_kind', 'effect', 'host_class', 'tool_definition', 'outgoing_secret',
        'outgoing_pii', 'untrusted_sink', 'hidden_unicode'],
      ['domain', 'program', 'table', 'SQL statement', 'effect', 'class of hosts', 'tool definition', 'secret sent',
        'personal data sent', 'effect of untrusted text', 'hidden characters'], '') AS What,
    Value,
    if(Kind = 'tool_definition', Detail, '') AS Detail,
    min(FirstSeen) AS First,
    sum(Spans) AS Times,
    argMinMerge(FirstTraceId) AS Trace
  FROM agent_values
  WHERE Agent IN (SELECT Agent FROM names)
    AND Kind NOT IN ('dialect', 'missing_content')
  GROUP BY Kind, Value, Detail
  HAVING $__timeFilter_ms(First)
  UNION ALL
  SELECT entry.1 AS What, entry.2 AS Value, '' AS Detail, min(FirstSeen) AS First, sum(Spans), argMaxMerge(LastTraceId)
  FROM agent_activity
  ARRAY JOIN [('tool', toString(ToolName)), ('model', toString(Model)), ('MCP server', toString(ServerAddress))] AS entry
  WHERE Agent IN (SELECT Agent FROM names)
    AND entry.2 != ''
  GROUP BY entry
  HAVING $__timeFilter_ms(First)
)
ORDER BY `First seen` DESC, What, Name
LIMIT 200
SETTINGS $__adHocFilters('agent_values')
