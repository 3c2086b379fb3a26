import fc from 'fast-check';
import type { Case, CaseDecision } from '../../../model/case.ts';
import type { ExportEvent } from '../../../model/export-event.ts';
import type { Finding } from '../../../model/finding.ts';
import { levels } from '../../../model/severity.ts';
import type { FormatContext } from '../../contract.ts';
import { caseEvent, context, findingEvent } from './events.ts';

/** What ends fields, lines and documents somewhere, and what terminals and readers of text obey. */
const attacks = [
  ...['\n', '\r', '\r\n', '\t', '\0', '|', '=', '\\', '"', "'", ',', ';', '^', '<', '&', '{', '}', ' ', '\\n', '\\='],
  ...['\u001b[2J', '\u009b31m', '\u0085', '\u2028', '\u2029', '\u202e', '\u2066', '\u200b', '\ufeff', '\u{e0041}'],
  ...['\ud800', '\udc00', '\ufffd', '\u{1f9d1}\u200d\u{1f4bb}', 'ä', '漢', ' suser=root ', ' msg=', '^sev=1^'],
  ...['CEF:0|a|b|c|d|e|9|', '\nCEF:0|', '<13>1 - - ', '"}', '"},{"', '</event>', '__proto__'],
];

/** A text that is made of attacks and of what stands between them. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom('a', 'Z', '7')),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

const nanos = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

const decision: fc.Arbitrary<CaseDecision> = fc
  .record({
    action: fc.constantFrom('close' as const, 'reopen' as const),
    atMicros: fc.bigInt({ min: 0n, max: 2n ** 53n }),
    ...{ disposition: hostileText, reason: hostileText, by: hostileText },
  })
  .map((made) => (made.action === 'reopen' ? { ...made, disposition: '' } : made));

/** Events of either kind whose texts are all hostile, and the context with hostile fields of the user. */
export const hostileEvent: fc.Arbitrary<{ event: ExportEvent; context: FormatContext }> = fc.record({
  event: fc.oneof(
    fc
      .record({ texts: hostileValue(findingEvent.finding), times: fc.tuple(nanos, nanos), common: commonOf() })
      .map(({ texts, times, common }): ExportEvent => {
        const [timeNanos, lastSeenNanos] = times;
        const finding: Finding = {
          ...texts,
          timeNanos,
          lastSeenNanos,
          level: common.level,
          tags: findingEvent.finding.tags,
        };
        return { ...findingEvent, ...common.event, caseId: common.caseId, finding };
      }),
    fc
      .record({
        ...{ texts: hostileValue(caseEvent.case), times: fc.tuple(nanos, nanos), common: commonOf() },
        decision: fc.option(decision, { nil: undefined }),
      })
      .map(({ texts, times, common, decision }): ExportEvent => {
        const [firstSeenNanos, lastSeenNanos] = times;
        const told: Case = {
          ...texts,
          firstSeenNanos,
          lastSeenNanos,
          level: common.level,
          ...(decision && { decision }),
        };
        return { ...caseEvent, ...common.event, case: told };
      }),
  ),
  context: fc.record({ host: hostileText, link: hostileText, value: hostileText }).map(
    ({ host, link, value }): FormatContext => ({
      ...context,
      host,
      link: () => link,
      extraFields: () => ({ team: value, 'a.b': value }),
    }),
  ),
});

function commonOf() {
  return fc.record({
    level: fc.constantFrom(...levels),
    caseId: hostileText,
    event: fc.record({
      activity: fc.constantFrom('create' as const, 'update' as const, 'close' as const),
      isSample: fc.boolean(),
      takenMs: fc.integer({ min: 0, max: 8_000_000_000_000 }),
    }),
  });
}

/** A value of the same shape with a hostile text in place of each text but levels; lists lose or repeat items. */
function hostileValue<Value extends object>(value: Value): fc.Arbitrary<Value> {
  const members = Object.entries(value).map(([name, member]) => [name, hostileMember(member)] as const);
  return fc.record(Object.fromEntries(members)) as unknown as fc.Arbitrary<Value>;
}

function hostileMember(member: unknown): fc.Arbitrary<unknown> {
  if (typeof member === 'string')
    return (levels as readonly string[]).includes(member) ? fc.constant(member) : hostileText;
  if (Array.isArray(member)) {
    return member.length === 0 ? fc.constant([]) : fc.array(hostileMember(member[0]), { maxLength: 3 });
  }
  if (typeof member === 'object' && member !== null) return hostileValue(member);
  return fc.constant(member);
}
