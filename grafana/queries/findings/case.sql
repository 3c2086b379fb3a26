-- The chosen case; the id of one that has become part of another leads to that one.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  (
    SELECT any(if(MergedInto = '', CaseId, MergedInto))
    FROM cases FINAL
    WHERE CaseId = decodeURLComponent('${case_id:percentencode}')
  ) AS case_id
SELECT
  Status,
  Level,
  leftUTF8(replaceRegexpAll(Headline, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Headline,
  leftUTF8(replaceRegexpAll(RaisedBy, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS `Raised by`,
  FirstSeen AS `First seen`,
  LastSeen AS `Last seen`,
  Findings,
  Count AS Times,
  arrayStringConcat(arrayMap(name -> clean(name), arraySlice(list.Agents, 1, 20)), ', ') AS Agents,
  arrayStringConcat(arrayMap(name -> clean(name), arraySlice(list.Users, 1, 20)), ', ') AS Users,
  length(Conversations) AS Sessions,
  length(TraceIds) AS Traces,
  toString(Disposition) AS Disposition,
  CaseId AS `Case`
FROM (SELECT * FROM case_list WHERE CaseId = case_id) AS list
SETTINGS $__adHocFilters('findings')
