import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { SpanwardenError } from '../model/errors.ts';
import { batchingOf, commonSettings } from './config.ts';
import { destinationTypes } from './destinations/index.ts';

function problems(text: string): string[] {
  try {
    loadConfig({ text, env: {} });
  } catch (error) {
    assert.ok(error instanceof SpanwardenError, String(error));
    return error.problems.map(({ position, message, code, advice = '' }) =>
      `${position?.line}:${position?.column} ${message} ${code} ${advice}`.trim(),
    );
  }
  return [];
}

const destination = (text: string): string => `export:\n  destinations:\n    siem: ${text}\n`;

test('a destination has the common settings with their defaults, and those of its type', () => {
  const { destinations } = loadConfig({
    text: destination('{ type: file, path: x, batch: { events: 7 } }'),
    env: {},
  }).export;
  assert.deepEqual(
    { ...destinations.siem },
    {
      ...{
        type: 'file',
        path: 'x',
        bytes_max: 67_108_864,
        files_max: 5,
        start: 'now',
        concurrency: 1,
        format: 'json',
      },
      batch: { events: 7 },
    },
  );
  assert.deepEqual(batchingOf(destinations.siem!), { eventsMax: 7, bytesMax: 1_048_576, lingerMs: 500 });
  assert.deepEqual(loadConfig({ text: 'export:\n  destinations:\n', env: {} }).export.destinations, {});
});

test('a name, a type and a key that are none are told with their place', () => {
  assert.deepEqual(problems('export:\n  destinations:\n    Siem: { type: stdout }\n'), [
    '3:5 export.destinations.Siem: a name must be 1 to 32 of a-z 0-9 _ - and begin with a letter SW_CONFIG_KEY',
  ]);
  assert.deepEqual(problems(destination('{ type: fiel, path: x }')), [
    '3:19 export.destinations.siem.type: is of no known kind SW_CONFIG_VALUE Did you mean file?',
  ]);
  assert.match(
    problems(destination('{ path: x }'))[0] ?? '',
    /^3:11 export\.destinations\.siem\.type: is missing SW_CONFIG_VALUE Known here: webhook, /,
  );
  assert.deepEqual(problems(destination('{ type: stdout, evnts: [cases] }')), [
    '3:27 unknown key "evnts" in export.destinations.siem SW_CONFIG_KEY Did you mean events?',
  ]);
  assert.match(
    problems(destination('{ type: stdout, path: x }'))[0] ?? '',
    /^3:27 unknown key "path" .* Known here: type, format, events/,
  );
  assert.match(
    problems(destination('{ type: file, path: 1 }'))[0] ?? '',
    /^3:31 export\.destinations\.siem\.path: expected string.* The file, made with mode 600/,
  );
  assert.match(
    problems(destination('{ type: stdout, filter: { levl: high } }'))[0] ?? '',
    /^3:37 unknown key "levl" in export\.destinations\.siem\.filter .*Did you mean level\?/,
  );
});

test('fields with a wrong name or placeholder are told', () => {
  const found = problems(destination('{ type: stdout, fields: { 1x: a, ok: "{agnt}", fine: "{agent}" } }'));
  assert.equal(found.length, 2);
  assert.match(found[0] ?? '', /^3:37 export\.destinations\.siem\.fields\.1x: the name of a field must be/);
  assert.match(found[1] ?? '', /^3:48 export\.destinations\.siem\.fields\.ok: \{agnt\} is not known; known are kind/);
});

test('what is taken out of the table cannot be sent: a looser profile is an error', () => {
  const looser =
    '3:35 export.destinations.siem.redact: off is looser than secrets, as findings are stored: what is taken out there cannot be sent SW_CONFIG_VALUE';
  assert.match(problems(destination('{ type: stdout, redact: off }'))[0] ?? '', new RegExp(`^${looser}`));
  assert.deepEqual(problems(destination('{ type: stdout, redact: secrets_and_pii }')), []);
  const tables = 'redact: { tables: { cases: metadata_only } }\n';
  assert.match(
    problems(tables + destination('{ type: stdout, redact: secrets_and_pii }'))[0] ?? '',
    /looser than metadata_only, as cases are stored/,
  );
  assert.deepEqual(problems(tables + destination('{ type: stdout, redact: secrets_and_pii, events: [findings] }')), []);
});

test('no type has a setting of its own under the name of a common one', () => {
  for (const { type, schema } of destinationTypes) {
    assert.deepEqual(
      Object.keys(schema.shape).filter((key) => Object.hasOwn(commonSettings, key)),
      [],
      type,
    );
  }
});

test('what a type demands of its settings together still holds', () => {
  const text = destination('{ type: syslog, host: x, transport: tcp, tls: { ca_file: y } }');
  assert.match(problems(text)[0] ?? '', /siem\.tls: has a meaning with transport: tls only/);
});
