import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageFields } from './message-fields.ts';
import { parseMessages } from './messages.ts';

const conversation = {
  instructions: ['Be kind.'],
  input: parseMessages([
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      parts: [
        { type: 'text', content: 'What is this?' },
        { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'iVBORw0KGgo=' },
        { type: 'uri', modality: 'image', uri: 'https://a.example/x.png' },
        { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,AAAA' } },
        { type: 'file', file_id: 'file-1' },
      ],
    },
    { role: 'assistant', tool_calls: [{ id: 'c1', function: { name: 'web.fetch', arguments: '{"url":"x"}' } }] },
    { role: 'tool', tool_call_id: 'c1', content: 'a page' },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'again' }] },
    { role: 'assistant', content: 'I see.' },
    { role: 'user', content: 'And?' },
  ]),
  output: parseMessages([
    {
      role: 'assistant',
      finish_reason: 'tool_call',
      parts: [
        { type: 'reasoning', content: 'hm' },
        { type: 'text', content: 'A cat.' },
        { type: 'tool_call', id: 'c2', name: 'mail.send', arguments: { to: 'a@b.example' } },
      ],
    },
  ]),
};

test('parts of messages by role and kind', () => {
  const read = Object.fromEntries(Object.entries(messageFields).map(([name, field]) => [name, field(conversation)]));
  assert.deepEqual(read, {
    'message.roles': ['system', 'system', 'user', 'assistant', 'tool', 'user', 'assistant', 'user', 'assistant'],
    'message.user.text': ['What is this?', 'And?'],
    'message.assistant.text': ['I see.', 'A cat.'],
    'message.system.text': ['Be kind.', 'Be brief.'],
    'message.tool.text': ['a page', 'again'],
    'message.tool.name': ['web.fetch', 'web.fetch'],
    'message.assistant.reasoning': ['hm'],
    'message.assistant.tool_call.name': ['web.fetch', 'mail.send'],
    'message.assistant.tool_call.arguments': ['{"url":"x"}', '{"to":"a@b.example"}'],
    'message.assistant.finish_reason': ['tool_call'],
    'message.user.part_types': ['text', 'blob', 'uri', 'blob', 'file', 'text'],
    'message.user.media_types': ['image/png', 'image', 'image/jpeg'],
    'message.user.uris': ['https://a.example/x.png', 'file-1'],
    'message.assistant.part_types': ['tool_call', 'text', 'reasoning', 'text', 'tool_call'],
    'message.assistant.media_types': [],
    'message.assistant.uris': [],
    'message.tool.part_types': ['tool_call_response', 'tool_call_response'],
    'message.tool.media_types': [],
    'message.tool.uris': [],
  });
});

test('results without an id belong to the calls before them, where there are as many', () => {
  const call = (name: string) => ({ type: 'tool_call', id: name, name, arguments: {} });
  const results = (count: number) =>
    Array.from({ length: count }, () => ({ role: 'tool', parts: [{ type: 'text', content: 'x' }] }));
  const names = (...input: object[]) =>
    messageFields['message.tool.name']!({ instructions: [], input: parseMessages(JSON.stringify(input)), output: [] });
  const asked = { role: 'assistant', parts: [call('read'), call('send')] };
  assert.deepEqual(names(asked, ...results(2)), ['read', 'send']);
  assert.deepEqual(names(asked, ...results(1)), []);
  const again = (name: string) => ({ role: 'assistant', parts: [{ ...call(name), id: 'c' }] });
  const result = { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: 'x' }] };
  assert.deepEqual(names(again('read'), result, again('send'), result), ['read', 'send']);
  assert.deepEqual(names(asked, ...results(1), { role: 'assistant', parts: [call('pay')] }, ...results(1)), ['pay']);
});
