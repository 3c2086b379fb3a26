-- What is looked at: the session, or the trace and the session it is of. Moments that go into an address are texts, which nobody formats.
-- include session/spans
SELECT
  clean(anyIf(SessionId, SessionId != TraceId OR SessionId = session)) AS `Session id`,
  anyIf(SessionSource, SessionId != TraceId OR SessionId = session) AS `Known by`,
  clean(arrayStringConcat(arraySort(groupUniqArrayIf(10)(toString(AgentName), AgentName != '')), ', ')) AS Agents,
  clean(anyIf(toString(AgentName), AgentName != '')) AS Agent,
  clean(arrayStringConcat(arraySort(groupUniqArrayIf(10)(UserId, UserId != '')), ', ')) AS Users,
  clean(arrayStringConcat(arraySort(groupUniqArray(10)(toString(ServiceName))), ', ')) AS Services,
  min(Timestamp) AS Started,
  max(addNanoseconds(Timestamp, Duration)) AS Ended,
  uniqExact(TraceId) AS Traces,
  toString(toUnixTimestamp64Milli(Started) - 1000) AS `From`,
  toString(toUnixTimestamp64Milli(Ended) + 1000) AS `To`
FROM spans
HAVING count() > 0
SETTINGS $__adHocFilters('otel_traces')
