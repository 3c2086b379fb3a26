-- For other queries: sessions in which commanding text came in, with the moment at which each reached a stage.
--   DetectedAt  the first text
--   FollowedAt  the first flow from then on: the model proposed a call with values that only the content brought
--   ActedAt     the first such call from then on that was recorded: its rule is of at least medium level or a flow, or it is of
--               the tool that the content asked for
--   UntracedAt  the first deed of at least medium level after the text in a session without a flow
-- include injection/with-signs
  ,
  staged AS (
    SELECT
      *,
      if(empty(Follows), NULL, arrayMin(Follows)) AS FollowedAt,
      arrayFilter(deed -> deed.1 >= ifNull(FollowedAt, toDateTime64(0, 9)) AND (deed.4 OR has(Asked, own(deed.2))), Deeds) AS Ran,
      if(FollowedAt IS NULL OR empty(Ran), NULL, arrayMin(arrayMap(deed -> deed.1, Ran))) AS ActedAt,
      arrayFilter(deed -> deed.1 >= DetectedAt AND deed.3, Deeds) AS Suspect,
      if(FollowedAt IS NOT NULL OR empty(Suspect), NULL, arrayMin(arrayMap(deed -> deed.1, Suspect))) AS UntracedAt,
      multiIf(ActedAt IS NOT NULL, 'acted', FollowedAt IS NOT NULL, 'followed', UntracedAt IS NOT NULL, 'acted, way not seen', 'detected')
        AS Stage
    FROM (
      SELECT
        SessionId,
        argMinIf(Agent, (Timestamp, FindingId), IsText) AS Agent,
        minIf(Timestamp, IsText) AS DetectedAt,
        arrayFilter(time -> time >= DetectedAt, groupArrayIf(1000)(Timestamp, IsFlow)) AS Follows,
        groupArrayIf(1000)((Timestamp, toString(ToolName), Severity >= 3, Severity >= 3 OR IsFlow), IsDeed) AS Deeds,
        arrayDistinct(arrayMap(name -> own(name), arrayFlatten(groupArrayIf(100)(
          arrayMap((field, text) -> if(field = 'spanwarden.flow.untrusted_arguments', extractAll(text, '(?:^|, )([^=, ]+)\\.[^=.]+='), []),
            Evidence.Field, Evidence.Excerpt), IsFlow)))) AS Asked,
        groupUniqArrayArrayIf(20)(
          if(ToolName != '' AND NOT IsFlow, [toString(ToolName)],
            arrayPopBack(arrayFilter((text, field) -> field = 'span_id', Evidence.Excerpt, Evidence.Field))),
          IsText OR IsFlow) AS Sources,
        groupUniqArrayArrayIf(20)(
          arrayMap(text -> extract(text, '^(\\S+) of '), arrayFilter((text, field) -> field LIKE 'host by %', Evidence.Excerpt, Evidence.Field)),
          IsFlow) AS Named,
        groupUniqArrayArrayIf(10)(
          arrayMap(field -> transform(field,
            ['spanwarden.text.tool_result', 'spanwarden.text.retrieved', 'spanwarden.text.user', 'spanwarden.text.tool_definition',
              'spanwarden.content.hidden_unicode', 'spanwarden.content.homoglyphs'],
            ['tool result', 'document', 'user', 'tool definition', 'hidden characters', 'look-alike letters'], ''), Evidence.Field),
          IsText) AS Places,
        groupUniqArrayIf(20)(toString(RuleTitle), IsText OR IsFlow) AS Rules,
        argMinIf(TraceId, (Timestamp, FindingId), IsText) AS FirstTrace
      FROM signs
      GROUP BY SessionId
      HAVING countIf(IsText) > 0
    )
  )
