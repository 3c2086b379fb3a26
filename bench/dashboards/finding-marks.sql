-- One finding in twelve was marked.
INSERT INTO finding_marks (FindingId, RuleId, Disposition, Reason, MarkedBy, MarkedAt)
SELECT
  FindingId,
  RuleId,
  ['false-positive', 'benign', 'true-positive'][sipHash64(RuleId) % 2 + sipHash64(FindingId) % 2 + 1],
  'looked at',
  concat('analyst-', toString(sipHash64(FindingId) % 6)),
  Timestamp + toIntervalHour(1 + sipHash64(FindingId) % 90)
FROM findings
WHERE sipHash64(FindingId, 'marked') % 12 = 0
