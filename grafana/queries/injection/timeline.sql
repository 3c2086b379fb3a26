-- Sessions by the time at which the text was detected, and how many of them came to each stage later on.
-- include injection/with-sessions
SELECT
  $__timeInterval(DetectedAt) AS time,
  countIf(Stage = 'detected') AS `detected only`,
  countIf(Stage = 'acted, way not seen') AS `acted, way not seen`,
  countIf(Stage = 'followed') AS `followed, not acted`,
  countIf(Stage = 'acted') AS acted
FROM staged
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('findings')
