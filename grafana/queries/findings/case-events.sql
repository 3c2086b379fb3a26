-- What people did about the chosen case and about those that have become part of it, the newest first.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  (
    SELECT any(if(MergedInto = '', CaseId, MergedInto))
    FROM cases FINAL
    WHERE CaseId = decodeURLComponent('${case_id:percentencode}')
  ) AS case_id
SELECT
  At AS Time,
  Action AS Did,
  Disposition,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Reason,
  clean(DoneBy) AS `By`,
  Findings AS `Findings then`
FROM case_events
WHERE CaseId IN (SELECT arrayJoin(arrayPushBack(ChainIds, CaseId)) FROM cases FINAL WHERE CaseId = case_id)
ORDER BY Time DESC
LIMIT 100
SETTINGS $__adHocFilters('findings')
