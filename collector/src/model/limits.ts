/**
 * Every bound of the collector in one place. Going over one is counted with a reason, never silent, never a crash.
 * Units stand last in each name. `assertLimits` holds the relations between them and runs at start.
 */
export const limits = {
  /** Request body as sent, before decompression. */
  bodyBytesMax: 64 * 1024 * 1024,
  /** Request body after decompression. OTLP recommends 64 MiB. */
  bodyInflatedBytesMax: 64 * 1024 * 1024,
  /** A body may become so many times larger when it is unpacked; the first bytes are free, so that short repetitive ones pass. */
  bodyRatioMax: 250,
  bodyRatioFreeBytes: 8 * 1024 * 1024,
  /** What all requests under way may hold together, as sent and unpacked; past it the receiver answers 503. */
  requestsBytesMax: 512 * 1024 * 1024,
  /** How long a request may wait for its turn, `receive.wait_max_ms`, unless said otherwise and at most. Past it it is answered 503. */
  requestWaitMsDefault: 1_000,
  requestWaitMsMax: 10_000,
  /** How long the rest of a body is read and thrown away, so that its sender gets the answer. */
  discardMsMax: 5_000,
  /** Connections per server; further ones are closed at once. */
  connectionsMax: 4096,
  /** Request line and headers of HTTP/1.1. */
  headerBytesMax: 16 * 1024,
  /** Until the headers of a request are there, until its body is there, and without any request. */
  headersMsMax: 10_000,
  requestMsMax: 60_000,
  connectionIdleMsMax: 300_000,
  /** Tokens of senders, the file that holds them, and the highest rate that one may have. */
  tokensMax: 1000,
  tokenFileBytesMax: 1024 * 1024,
  tokenRequestsPerSecondMax: 1_000_000,
  /** A certificate, key or CA file. */
  tlsFileBytesMax: 1024 * 1024,
  /** Calls at once on one gRPC connection, and calls on all of them whose message is not there yet. */
  grpcStreamsPerConnectionMax: 100,
  grpcCallsReadingMax: 1000,
  /** What node:http2 may hold for one connection. */
  http2SessionMegabytesMax: 16,
  /** Characters of a message in an answer. */
  answerCharsMax: 2048,
  /** Nested arrays, maps and messages in one request (protobuf AnyValue and JSON alike). */
  nestingDepthMax: 64,
  /** Spans, log records, data points, events, links, resources, scopes of one request, each; and attributes of all of them. */
  recordsPerBatchMax: 1 << 19,
  attributesPerBatchMax: 1 << 22,
  /** Bucket counts, bounds and quantiles of one request; and exemplars, quantiles or parts of a list of one data point. */
  metricNumbersPerBatchMax: 1 << 22,
  partsPerPointMax: 4096,
  /** Data points of the collector's own metrics in one batch; further ones are left out. */
  ownDataPointsMax: 4096,
  /** Objects, arrays and members in one JSON body; each costs far more memory than its two bytes. */
  jsonValuesMax: 1 << 23,
  /** JSON values within each other, which take four bytes each while a body is read. */
  jsonDepthMax: 1 << 17,
  /** Distinct attribute keys that are stored under their own name, of all services, and services that are told apart for that. */
  attributeKeysMax: 100_000,
  attributeKeyServicesMax: 1_000,
  /** Characters of what an attribute without a key of its own is stored as, and of all of them in one map. */
  overflowValueCharsMax: 256,
  overflowCharsMax: 16_384,
  attributesPerSpanMax: 1024,
  attributeKeyBytesMax: 1024,
  attributeValueBytesMax: 4 * 1024 * 1024,
  eventsPerSpanMax: 1024,
  linksPerSpanMax: 1024,
  /** Attribute keys remembered between batches; past it the dictionary starts anew with the next batch, past twice as many keys become `_overflow`. */
  fieldNamesMax: 65_536,
  /** Bytes waiting for their fsync; past it the receiver answers 503. */
  spoolPendingBytesMax: 64 * 1024 * 1024,
  spoolSegmentBytesMax: 16 * 1024 * 1024,
  spoolRecordBytesMax: 256 * 1024 * 1024,
  /** Rows of findings and cases kept in memory for those who read along, and how many bytes of them are given at once. */
  spoolTailBytesMax: 2 * 1024 * 1024,
  spoolTailReadBytesMax: 1024 * 1024,
  spoolReserveBytes: 32 * 1024 * 1024,
  /** Spans, log records and data points, each, that are recognised when they come again; 16 bytes of memory for one. */
  resentRecordsMax: 262_144,
  spoolBytesMax: 8 * 1024 * 1024 * 1024,
  /** Bytes of journals after which a checkpoint is taken, so that a start has little to replay. */
  checkpointJournalBytesMax: 16 * 1024 * 1024,
  /** Pieces of the journal held back at a start for one that is missing before them. */
  journalHeldMax: 4096,
  ruleFileBytesMax: 1024 * 1024,
  /** YAML nodes in one rule file after aliases are followed; ends alias bombs. */
  ruleNodesMax: 100_000,
  ruleNestingDepthMax: 32,
  ruleValueCharsMax: 16_384,
  ruleConditionDepthMax: 64,
  ruleConditionCharsMax: 4096,
  rulesMax: 20_000,
  /** Spans that `repeat` of one rule test may stand for. */
  ruleTestSpansMax: 1000,
  /** Entries of the table that looks for the literals of all rules: 32 MiB. */
  literalTableCellsMax: 8 * 1024 * 1024,
  /** Values of all rules, each once a field, that are looked for in the bytes of attributes before texts are read; of more, texts are read at once. */
  screenTermsMax: 32_768,
  /**
   * Bytes of an attribute that are looked through before its texts are read. Longer ones are mostly conversations that are sent again, whose
   * texts are remembered: looking through all of them costs more than reading what is new. Of a list that calls may add to so many may be new,
   * as what was found in them is noted.
   */
  screenBytesMax: 4096,
  screenNewBytesMax: 16_384,
  /** Values of rules that are noted with such a list, as each call that sends it goes through them; with more its texts are read at once. */
  screenFoundMax: 1024,
  /** What was found in texts of these lengths is remembered, for so many texts (a power of two). */
  scanCacheCharsMin: 128,
  scanCacheCharsMax: 16_384,
  scanCacheTextsMax: 2048,
  /** Characters of the texts of repeated conversations whose findings and forms are remembered, about. */
  repeatedCharsMax: 8 * 1024 * 1024,
  /** Costly matchers whose answers about one text are kept. */
  answersPerTextMax: 64,
  /** Ways for a rule to become a candidate; one with more is tested on every span of its logsource. */
  witnessesPerRuleMax: 20_000,
  regexCharsMax: 4096,
  /** Instructions of a compiled regex; a measure of what one character of input may cost. */
  regexInstructionsMax: 10_000,
  /** Values that one placeholder list may put in place of `%name%`. */
  expandValuesMax: 10_000,
  /** A file lists/<name>.yml, its values, and the characters of the values that `contains` looks for. */
  listFileBytesMax: 64 * 1024 * 1024,
  listValuesMax: 1_000_000,
  listContainsCharsMax: 2_000_000,
  /** Members of an array attribute that rules look at, nested arrays included. */
  fieldMembersMax: 4096,
  evidenceCharsMax: 256,
  evidenceItemsMax: 16,
  findingsPerSpanMax: 64,
  /** Rules that one correlation may list, and how deep correlations of correlations may go. */
  correlationRulesMax: 30,
  correlationDepthMax: 10,
  correlationTimespanDaysMax: 366,
  /** Fields in `group-by`, and in `field` of value_count. */
  correlationKeysMax: 16,
  /** Groups that one span may belong to, and values it may add to each, where fields are arrays. */
  correlationGroupsPerEventMax: 64,
  correlationValuesPerEventMax: 256,
  /** Longer group keys and values are kept as their start and a hash. */
  correlationValueCharsMax: 256,
  /** Spans that wait until no earlier one can arrive; and what they take; past it the earliest are evaluated before their time. */
  correlationBufferEventsMax: 200_000,
  correlationBufferBytesMax: 256 * 1024 * 1024,
  correlationGroupsPerRuleMax: 200_000,
  correlationGroupsMax: 1_000_000,
  /** Events, or values where values are measured, that a group remembers; past it the oldest are forgotten. */
  correlationEventsPerGroupMax: 100_000,
  correlationEventsMax: 4_000_000,
  /** Groups per rule whose episodes are counted within the hour, for their ids; past it the one that opened first starts over. */
  correlationNumbersMax: 50_000,
  /** Waiting events that may be looked at for early findings: so many for each event that came, saved up to the first number. */
  correlationEarlyLooksMax: 20_000,
  correlationEarlyLooksPerEvent: 32,
  /** Service instances whose event time is followed one by one; further ones share a place. */
  sourcesMax: 1024,
  /** A source that is this many times the allowed lateness behind the furthest no longer holds it back. */
  sourceBehindLatenesses: 10,
  /** Findings remembered to count their repeats; past it matches stay findings of their own. */
  repeatsFoldsMax: 100_000,
  /** Spans remembered so that one sent twice counts once, in one finding and in all. */
  repeatsSpansPerFoldMax: 4096,
  repeatsSpansMax: 500_000,
  /** Matches in messages remembered beyond their hour; past it one that is told again is a finding again. */
  repeatsToldMax: 20_000,
  /** Fields in `fold-by`. */
  foldFieldsMax: 16,
  /** Cases and findings in them that are remembered; past it the stalest case is let go and grows no more. */
  casesMax: 20_000,
  caseFindingsMax: 100_000,
  /** Findings that one case lists one by one; past it the least severe are only counted. */
  findingsPerCaseMax: 1000,
  /** Findings of a case that its row shows as a timeline. */
  caseTimelineMax: 64,
  /** Sessions of one case; past it a shared value joins no more. */
  chainsPerCaseMax: 256,
  /** Sessions, traces and values that lead to one case, and to all; past it the oldest are forgotten, or the stalest case. */
  keysPerCaseMax: 4096,
  caseKeysMax: 500_000,
  /** Agents, users, conversations and traces that a case names. */
  caseNamesMax: 64,
  caseNameCharsMax: 128,
  /** Which trace belongs to which conversation or to which other trace. */
  caseTiesMax: 100_000,
  /** Values of one finding that may join cases. */
  caseValuesPerFindingMax: 16,
  /** Values that new_value knows exactly for a baseline key; further ones go into a filter that misses a few. */
  newValueExactMax: 10_000,
  /** Values that rare counts for a group, and rare values whose findings it goes on with. */
  rareValuesMax: 10_000,
  rareEpisodesMax: 64,
  /** Past buckets that rate_anomaly compares with. */
  rateBucketsMax: 4096,
  /** Spans of one group that end at the same nanosecond and wait for a decision. */
  correlationTiedEventsMax: 1000,
  /** Spans that complete a condition with `not` and wait until its window is over, in one group. */
  correlationUndecidedMax: 1000,
  /** Values that flow remembers of a session, and values whose findings it goes on with. */
  flowValuesPerSessionMax: 4000,
  flowEpisodesMax: 64,
  /** Values that one span may bring into a flow. */
  flowValuesPerEventMax: 1024,
  /** Alternatives that a correlation condition in words may have when its `or` are multiplied out. */
  correlationTermsMax: 256,
  /** Names of attributes noted per category and day, and their length; those that rules ask for are always noted. */
  seenFieldsMax: 4096,
  seenFieldCharsMax: 256,
  /** Requests up to this size keep the derived facts of all their spans until the next; of larger ones facts are worked out again. */
  factsKeptBatchBytesMax: 4 * 1024 * 1024,
  /** Lists of messages that are remembered, so that what a call repeats of them is not read again: all, each, and their sessions. */
  repeatedListsBytesMax: 24 * 1024 * 1024,
  repeatedListBytesMax: 2 * 1024 * 1024,
  repeatedListsSessionsMax: 10_000,
  /** Messages of one list that are stored one by one; longer lists are stored as they are. */
  messagesPerListMax: 2_000,
  /** Spans above a span that rules may look at; further up counts as unknown. */
  ancestryDepthMax: 64,
  /** Recent spans that rules with `parent.`, `root.` and `ancestor.` remember; past them the stalest are forgotten. */
  ancestryTracesMax: 200_000,
  ancestrySpansPerTraceMax: 20_000,
  ancestryBytesMax: 256 * 1024 * 1024,
  /** Spans that wait for those above them; past it those that wait longest are decided with what is known. */
  ancestryWaitingMax: 50_000,
  /** What is remembered of a field of such a span: longer texts are kept as their start and a hash. */
  ancestryValueCharsMax: 2048,
  ancestryMembersMax: 32,
  /** Calls that wait for the span or for the log records about them, their characters, and the records of one call. */
  logJoinWaitingMax: 50_000,
  logJoinCharsMax: 64 * 1024 * 1024,
  logJoinPartsMax: 512,
  /** Attributes of a span that are remembered until its records come, and characters of each. */
  logJoinAttributesMax: 64,
  logJoinValueCharsMax: 2048,
  /** Sessions stitched of calls without a trace around them, their keys, the keys of one, and how long one may be silent. */
  sessionsMax: 50_000,
  sessionAllKeysMax: 400_000,
  sessionKeysMax: 1024,
  sessionIdleMs: 4 * 3_600_000,
  /** Tool calls and messages of one call that are looked at for its session: the first one and the newest. */
  sessionKeysPerCallMax: 32,
  /** Calls that wait for the call before them, and findings and events of them that wait along. */
  sessionWaitingMax: 20_000,
  sessionHeldMax: 50_000,
  /** Tool calls that the messages of one model call may propose, and answer. */
  messageCallsMax: 128,
  /** Views of tool calls that are remembered, and characters of those; past it the oldest are decided with what is known. */
  callViewsMax: 50_000,
  callCharsMax: 64 * 1024 * 1024,
  /** What is remembered of arguments and of a result, and views of calls of one name that are compared with one. */
  callValueCharsMax: 64 * 1024,
  callComparedMax: 256,
  /** Arguments of a call that differ from what the model proposed, and characters of each. */
  callDifferencesMax: 64,
  callDifferenceCharsMax: 256,
  /** Models and days whose prices are remembered. */
  pricesKnownMax: 4096,
  /** Spans above model calls that are remembered, to tell which of them restate the tokens of those. */
  usageParentsMax: 100_000,
  /** Destinations of findings and cases, calls at once to one, and events of a request. */
  exportDestinationsMax: 32,
  exportConcurrencyMax: 16,
  exportBatchEventsMax: 10_000,
  exportBatchBytesMax: 32 * 1024 * 1024,
  /** How long an event waits for others; all that time it is in memory. */
  exportLingerMsMax: 3_600_000,
  /** Events of the stream that a destination reads ahead; and bytes of all destinations together, of which each has its share. */
  exportWindowEventsMax: 4096,
  exportWindowBytesMax: 32 * 1024 * 1024,
  /** One event as it goes over the wire; longer texts in it are cut until it fits. */
  exportEventBytesMax: 256 * 1024,
  /** References to events that a receiver will never take. */
  exportDeadLetterBytesMax: 8 * 1024 * 1024,
  /** Texts that a user adds to events, and characters of each, placeholders filled in. */
  exportFieldsMax: 64,
  exportFieldCharsMax: 1024,
  /** Longest pause between attempts, of what may pass and of what a person has to mend. */
  exportRetryMsMax: 60_000,
  exportMisconfiguredMsMax: 300_000,
  /** A call that a destination has not ended itself by then is taken for failed. */
  exportCallMsMax: 600_000,
  /** How far a cursor file is behind, how old a status file is, and how soon a disk that refuses is tried again. */
  exportCursorMs: 1_000,
  exportStatusMs: 3_000,
  exportDiskRetryMs: 1_000,
  /** Receivers of requests as they came, how many tees one may come through, and requests that are put together into one. */
  teesMax: 8,
  teeHopsMax: 8,
  teeBatchRequestsMax: 1000,
  /** Requests that a tee reads ahead; and bytes of all tees together, of which each has its share. */
  teeWindowRequestsMax: 4096,
  teeWindowBytesMax: 16 * 1024 * 1024,
  /** Of the spool, kept for tees that are behind. */
  teeHeldBytesMax: 4 * 1024 * 1024 * 1024,
  responseBytesMax: 4 * 1024 * 1024,
  /** Bytes of a receiver's answer that are read, and characters of it that are shown. */
  exportAnswerBytesMax: 4 * 1024 * 1024,
  exportReasonCharsMax: 300,
  /** Connections to one destination. */
  exportSocketsMax: 8,
  /** Connections without a request are closed after this, sooner than most receivers do it. */
  exportSocketIdleMs: 30_000,
  /** A file with a token that is exchanged for credentials. */
  exportTokenFileBytesMax: 64 * 1024,
  /** Rounds that a broker may ask of a login by SCRAM; Kafka itself stores no password with more than 16,384. */
  exportScramIterationsMax: 100_000,
  /** A receiver that asks for a longer pause gets this one. */
  exportRetryAfterMsMax: 3_600_000,
} as const;

export function assertLimits(): void {
  const l = limits;
  if (l.spoolRecordBytesMax < l.bodyInflatedBytesMax * 3) {
    throw new Error('limits: a spool record must be able to hold the largest body and its rows');
  }
  if (l.requestsBytesMax < l.bodyBytesMax + l.bodyInflatedBytesMax) {
    throw new Error('limits: requestsBytesMax must be able to hold the largest body');
  }
  if (l.attributeValueBytesMax > l.bodyInflatedBytesMax) {
    throw new Error('limits: attributeValueBytesMax is over bodyInflatedBytesMax');
  }
}
