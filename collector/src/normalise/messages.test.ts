import assert from 'node:assert/strict';
import test from 'node:test';
import type { Value } from '../model/value.ts';
import { parseInstructions, parseMessages } from './messages.ts';

const call = { kind: 'tool_call', id: 'c1', name: 'find', arguments: { q: 'x' } };
const result = { kind: 'tool_result', id: 'c1', result: 'found' };

/** One conversation (system, user, a call, its result, an answer) in the shapes that emitters write. */
const whole: readonly (readonly [shape: string, value: unknown])[] = [
  [
    'OTel parts',
    [
      { role: 'system', parts: [{ type: 'text', content: 'be kind' }] },
      { role: 'user', parts: [{ type: 'text', content: 'hi' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'find', arguments: { q: 'x' } }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'found' }] },
      { role: 'assistant', parts: [{ type: 'text', content: 'there' }] },
    ],
  ],
  [
    'OpenAI chat',
    [
      { role: 'developer', content: 'be kind' },
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'found' },
      { role: 'assistant', content: 'there' },
    ],
  ],
  [
    'OpenAI Responses',
    {
      instructions: 'be kind',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
        { type: 'function_call', id: 'fc_9', call_id: 'c1', name: 'find', arguments: '{"q":"x"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'found' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'there' }] },
      ],
    },
  ],
  [
    'Anthropic',
    {
      system: [{ type: 'text', text: 'be kind' }],
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'find', input: { q: 'x' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'found' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'there' }] },
      ],
    },
  ],
  [
    'AI SDK',
    {
      system: 'be kind',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'hi' }] },
        { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'find', input: '{"q":"x"}' }] },
        {
          role: 'tool',
          content: [{ type: 'tool-result', toolCallId: 'c1', output: { type: 'text', value: 'found' } }],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'there' }] },
      ],
    },
  ],
  [
    'Gemini',
    {
      config: { system_instruction: { parts: [{ text: 'be kind' }] } },
      contents: [
        { role: 'user', parts: [{ text: 'hi' }] },
        { role: 'model', parts: [{ functionCall: { id: 'c1', name: 'find', args: { q: 'x' } } }] },
        { role: 'user', parts: [{ functionResponse: { id: 'c1', response: 'found' } }] },
        { role: 'model', parts: [{ text: 'there' }] },
      ],
    },
  ],
  [
    'Bedrock Converse',
    {
      system: [{ text: 'be kind' }],
      messages: [
        { role: 'user', content: [{ text: 'hi' }] },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'c1', name: 'find', input: { q: 'x' } } }] },
        { role: 'user', content: [{ toolResult: { toolUseId: 'c1', content: 'found', status: 'success' } }] },
        { role: 'assistant', content: [{ text: 'there' }] },
      ],
    },
  ],
  [
    'LangChain, serialised, in a batch',
    [
      [
        {
          lc: 1,
          type: 'constructor',
          id: ['langchain_core', 'messages', 'SystemMessage'],
          kwargs: { content: 'be kind' },
        },
        { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'HumanMessage'], kwargs: { content: 'hi' } },
        {
          lc: 1,
          type: 'constructor',
          id: ['langchain_core', 'messages', 'AIMessageChunk'],
          kwargs: { content: '', tool_calls: [{ id: 'c1', name: 'find', args: { q: 'x' } }] },
        },
        {
          lc: 1,
          type: 'constructor',
          id: ['langchain_core', 'messages', 'ToolMessage'],
          kwargs: { content: 'found', tool_call_id: 'c1' },
        },
        { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'AIMessage'], kwargs: { content: 'there' } },
      ],
    ],
  ],
  [
    'LangChain, typed',
    {
      messages: [
        { type: 'system', content: 'be kind' },
        { type: 'human', data: { content: 'hi' } },
        { type: 'ai', content: '', tool_calls: [{ id: 'c1', name: 'find', args: { q: 'x' } }] },
        { type: 'tool', content: 'found', tool_call_id: 'c1' },
        { type: 'ai', content: 'there' },
      ],
    },
  ],
];

for (const [shape, value] of whole) {
  test(`messages in the shape of ${shape}`, () => {
    for (const sent of [value, JSON.stringify(value), JSON.stringify(JSON.stringify(value))] as Value[]) {
      assert.deepEqual(
        parseMessages(sent).map(({ parts }) => parts),
        [
          [{ kind: 'text', text: 'be kind' }],
          [{ kind: 'text', text: 'hi' }],
          [call],
          [result],
          [{ kind: 'text', text: 'there' }],
        ],
      );
      const roles = parseMessages(sent).map(({ role }) => role);
      assert.deepEqual([roles[0], roles[1], roles[2], roles[4]], ['system', 'user', 'assistant', 'assistant']);
    }
  });
}

test('answers of providers, with the reason they ended', () => {
  const answers: unknown[] = [
    { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'there' } }] },
    { role: 'assistant', content: [{ type: 'text', text: 'there' }], stop_reason: 'stop' },
    { candidates: [{ content: { role: 'model', parts: [{ text: 'there' }] }, finishReason: 'stop' }] },
    { index: 0, finish_reason: 'stop', message: { content: 'there' } },
  ];
  for (const answer of answers as Value[]) {
    assert.deepEqual(parseMessages(answer, 'assistant'), [
      { role: 'assistant', parts: [{ kind: 'text', text: 'there' }], finishReason: 'stop' },
    ]);
  }
  const generations = { generations: [[{ text: 'there', generation_info: {} }]] };
  assert.deepEqual(parseMessages(generations, 'assistant'), [
    { role: 'assistant', parts: [{ kind: 'text', text: 'there' }] },
  ]);
});

test('calls alone, as some write what a model proposed', () => {
  const calls = [
    '[{"toolCallId":"c1","toolName":"find","input":"{\\"q\\":\\"x\\"}"}]',
    '[{"type":"function","id":"c1","function":{"name":"find","arguments":"{\\"q\\":\\"x\\"}"}}]',
  ];
  for (const sent of calls) assert.deepEqual(parseMessages(sent, 'assistant')[0]?.parts, [call], sent);
});

test('who ran it says what it is: provider-side tools, shells, MCP', () => {
  const items = [
    { type: 'local_shell_call', call_id: 'c2', action: { command: ['ls'] } },
    { type: 'mcp_call', id: 'm1', name: 'read', arguments: '{}', output: 'text', server_label: 's' },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
    { type: 'item_reference', id: 'x' },
  ];
  assert.deepEqual(
    parseMessages(items as unknown as Value, 'assistant').flatMap(({ parts }) => parts),
    [
      { kind: 'tool_call', id: 'c2', name: 'local_shell', arguments: { command: ['ls'] } },
      { kind: 'tool_call', id: 'm1', name: 'read', arguments: {} },
      { kind: 'tool_result', id: 'm1', result: 'text', name: 'read' },
      { kind: 'text', text: 'hm', reasoning: true },
    ],
  );
});

test('bare text, a structure of the application, and what was cut', () => {
  assert.deepEqual(parseMessages('hi'), [{ role: 'user', parts: [{ kind: 'text', text: 'hi' }] }]);
  assert.deepEqual(parseMessages('{"question":"hi"}'), [
    { role: 'user', parts: [{ kind: 'text', text: '{"question":"hi"}' }] },
  ]);
  assert.deepEqual(parseMessages('[{"role":"user","content":"hi"},{"role":"assistant","content":"the'), [
    { role: 'user', parts: [{ kind: 'text', text: 'hi' }] },
    { role: 'assistant', parts: [{ kind: 'text', text: 'the' }] },
  ]);
  assert.deepEqual(parseMessages('{}'), []);
  assert.deepEqual(parseInstructions('[{"type":"text","content":"be kind"}]'), ['be kind']);
  assert.deepEqual(parseInstructions('be kind'), ['be kind']);
});

test('text that a user made look like a part is text unless it is a list of parts throughout', () => {
  const text = '[{"type":"text","text":"a"},{"note":"b"}]';
  assert.deepEqual(parseMessages([{ role: 'user', content: text }])[0]?.parts, [{ kind: 'text', text }]);
  const parts = '[{"type":"text","text":"a"}]';
  assert.deepEqual(parseMessages([{ role: 'user', content: parts }])[0]?.parts, [{ kind: 'text', text: 'a' }]);
});
