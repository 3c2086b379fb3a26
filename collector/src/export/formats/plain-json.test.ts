import assert from 'node:assert/strict';
import test from 'node:test';
import { plainJson } from './plain-json.ts';
import { context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertFits, assertHarmless } from './testing/laws.ts';

const format = plainJson();

test('the finding and the case as they are committed', () => assertGoldens('json', format));

test('any text comes back as it was, lone surrogates as U+FFFD', () => {
  assertHarmless(format, (body, event, context) => {
    const read = JSON.parse(body);
    assert.equal(read.host, context.host.toWellFormed());
    assert.equal(read.link, context.link(event).toWellFormed());
    assert.deepEqual(Object.keys(read.fields), ['team', 'a.b']);
    assert.equal(read.fields.team, context.extraFields(event).team?.toWellFormed());
    if (event.kind === 'finding') {
      const { finding } = event;
      const { rule, evidence, reason, agent_name, service_name, tool_name, user_id, conversation_id, ...rest } =
        read.finding;
      assert.deepEqual(
        [
          reason,
          agent_name,
          service_name,
          tool_name,
          user_id,
          conversation_id,
          rest.span_name,
          rest.group_key,
          rule.title,
        ],
        [
          finding.reason,
          finding.agentName,
          finding.serviceName,
          finding.toolName,
          finding.userId,
          finding.conversationId,
          finding.spanName,
          finding.groupKey,
          finding.ruleTitle,
        ].map((text) => text.toWellFormed()),
      );
      assert.deepEqual(evidence, JSON.parse(JSON.stringify(finding.evidence.map(wellFormed))));
    } else {
      assert.equal(read.case.headline, event.case.headline.toWellFormed());
      assert.deepEqual(
        read.case.agents,
        event.case.agents.map((text) => text.toWellFormed()),
      );
      assert.equal(read.case.version, String(event.case.version));
      assert.deepEqual(
        read.case.timeline.map(({ shown }: { shown: string }) => shown),
        event.case.timeline.map(({ shown }) => shown.toWellFormed()),
      );
    }
  });
});

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => (JSON.parse(body).finding ?? JSON.parse(body).case).id);
});

test('what was cut says so, and only what was cut', () => {
  const long = { ...findingEvent, finding: { ...findingEvent.finding, reason: 'ä'.repeat(10_000) } };
  const read = JSON.parse(format.encode(long, { ...context, bytesMax: 8192 }));
  assert.equal(read.is_cut, true);
  assert.match(read.finding.reason, /^ä+…\[cut\]$/);
  assert.equal(read.finding.rule.title, findingEvent.finding.ruleTitle);
  assert.equal(JSON.parse(format.encode(findingEvent, context)).is_cut, false);
});

test('a sample says so where people and machines look', () => {
  const read = JSON.parse(format.encode({ ...findingEvent, isSample: true }, context));
  assert.equal(read.is_sample, true);
  assert.match(read.title, /^\[SAMPLE\] /);
});

function wellFormed<Texts extends object>(texts: Texts): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, String(text).toWellFormed()]));
}
