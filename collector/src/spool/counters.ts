/** What the spool counts from opening on; the counting half of `SpoolStats`. */
export function newCounters() {
  return {
    appendedRecords: 0,
    appendedRows: 0,
    appendedBytes: 0,
    syncs: 0,
    duplicateRecords: 0,
    refusedFullRecords: 0,
    refusedWriteRecords: 0,
    refusedTooLargeRecords: 0,
    sealedSegments: 0,
    sentSegments: 0,
    deadLetteredRows: 0,
    deadLetteredSegments: 0,
    journalSegmentsLost: 0,
    heldSegmentsLost: 0,
    recoveredRecords: 0,
    unsyncedSegments: 0,
    tornTails: 0,
    tornBytes: 0,
    corruptRanges: 0,
    corruptBytes: 0,
  };
}

export type SpoolCounters = ReturnType<typeof newCounters>;
