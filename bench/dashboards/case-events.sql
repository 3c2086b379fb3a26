-- Three of five cases have been closed, a seventh of these as false.
INSERT INTO case_events (CaseId, At, Action, Disposition, Reason, DoneBy, Severity, Findings, Chains)
SELECT
  CaseId,
  LastSeen + toIntervalMinute(sipHash64(CaseId) % 3000),
  'close',
  ['false-positive', 'benign', 'true-positive', 'benign', 'true-positive', 'true-positive', 'benign'][sipHash64(CaseId) % 7 + 1],
  'looked at',
  concat('analyst-', toString(sipHash64(CaseId) % 6)),
  Severity,
  Findings,
  1
FROM cases
WHERE sipHash64(CaseId, 'closed') % 5 < 3
