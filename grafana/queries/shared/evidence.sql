-- What made a finding match, one line each: a column of findings.
  leftUTF8(
    arrayStringConcat(
      arrayMap(
        (field, wanted, excerpt) -> replaceRegexpAll(
          concat(if(field = '', '', concat(field, ' ')), wanted, ': ', excerpt), '[\\p{Cc}\\p{Cf}]', ' '),
        Evidence.Field, Evidence.Wanted, Evidence.Excerpt),
      '\n'),
    2000) AS `What matched`,
