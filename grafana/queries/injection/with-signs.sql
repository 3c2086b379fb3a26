-- For other queries: findings that say something about an injection, by the tags of their rules, as cases do.
--   IsText    text that wants to command the model came in
--   IsFlow    content that came in decides about a call that sends, pays, changes or runs something
--   IsDeed    such a call was recorded: the finding stands on a tool span
-- A flow of at least medium level has seen the commanding text itself, so it is a text as well.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  tool -> replaceRegexpAll(if(endsWith(tool, '__'), tool, replaceRegexpOne(tool, '(?s)^.+__(.+)$', '\\1')), '[^A-Za-z0-9_]', '_') AS own,
  tag -> match(tag, '^(?:owasp\\.(?:llm01|asi01)|atlas\\.aml\\.t00(?:51|54|68)(?:\\.|$)|attack\\.initial[-_]access$)') AS commands,
  tag -> match(tag, '^(?:atlas\\.aml\\.t00(?:25|57|77|86)(?:\\.|$)|attack\\.exfiltration$)') AS leaves,
  tag -> match(tag, '^(?:owasp\\.asi05|atlas\\.aml\\.t0(?:050|053|072|081|101|102|105)(?:\\.|$)|attack\\.(?:execution|impact|persistence)$)') AS does,
  signs AS (
    SELECT
      *,
      clean(if(AgentName = '', ServiceName, AgentName)) AS Agent,
      arrayExists(tag -> commands(tag), Tags) AS IsCommand,
      arrayExists(tag -> leaves(tag) OR does(tag), Tags) AS IsAct,
      IsCommand AND (NOT IsAct OR Severity >= 3) AS IsText,
      IsCommand AND IsAct AS IsFlow,
      IsAct AND ToolName != '' AS IsDeed
    FROM findings FINAL
    WHERE $__timeFilter_ms(Timestamp)
      AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
      AND (IsCommand OR IsDeed)
  )
