-- Fields that arrived before and not in the last day of the time range: rules that need them have gone blind. Kept by the day.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(Field) AS Field,
  Category,
  max(LastSeen) AS `Last seen`,
  count() AS Days
FROM seen_fields
WHERE Day >= toDate($__fromTime) - 30 AND Day <= toDate($__toTime)
GROUP BY Field, Category
HAVING max(Day) < toDate($__toTime) - 1
ORDER BY `Last seen` DESC, Field, Category
LIMIT 200
SETTINGS $__adHocFilters('seen_fields')
