/**
 * What the demo's model answers. It stands in for a gullible language model: whatever a tool result tells it to do, it
 * does, without asking who wrote it. Real models do so some of the time, this one does so every time, which makes an
 * indirect prompt injection repeatable. It knows nothing of the demo's story: it reads the conversation and the offered
 * tools, and the same request always gets the same answer.
 *
 * In this order:
 * 1. Instructions in tool results, newest result first, top to bottom, each one once. The shapes it understands:
 *    - `call <tool> with {json}`
 *    - `refund <amount> <currency> of|for order <id>`
 *    - `read order <id>[, <id> …]`
 *    - `post|send|forward|upload … to <url>` (the body is the newest tool result)
 * 2. The support script: read the ticket the user named, read the orders its text names, answer with their state.
 */
export interface ChatMessage {
  readonly role: string;
  readonly content?: string | readonly { readonly type: string; readonly text?: string }[] | null;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { name: string; arguments: string } }[];
}

export interface ToolDefinition {
  readonly type: string;
  readonly function: {
    readonly name: string;
    readonly parameters?: { readonly properties?: Readonly<Record<string, { readonly type?: unknown }>> };
  };
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export type Reply =
  | { readonly kind: 'call'; readonly call: ToolCall }
  | { readonly kind: 'text'; readonly text: string };

/** The next step of a conversation. Pure: no clock, no randomness, no memory between requests. */
export function nextReply(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): Reply {
  const past = readPast(messages);
  const call = obey(past, tools) ?? followScript(past, tools);
  return call ? { kind: 'call', call } : { kind: 'text', text: answer(past) };
}

interface Past {
  readonly user: string;
  /** Oldest first. `call` is the call that led to the result. */
  readonly results: readonly { readonly text: string; readonly call: ToolCall | undefined }[];
  readonly done: readonly ToolCall[];
}

function readPast(messages: readonly ChatMessage[]): Past {
  const done: ToolCall[] = [];
  const byId = new Map<string, ToolCall>();
  const results: { text: string; call: ToolCall | undefined }[] = [];
  let user = '';
  for (const message of messages) {
    if (message.role === 'user') user = messageText(message);
    for (const call of message.tool_calls ?? []) {
      const parsed = { name: call.function.name, arguments: parseObject(call.function.arguments) ?? {} };
      done.push(parsed);
      byId.set(call.id, parsed);
    }
    if (message.role === 'tool') {
      results.push({ text: messageText(message), call: byId.get(message.tool_call_id ?? '') });
    }
  }
  return { user, results, done };
}

function messageText(message: ChatMessage): string {
  if (typeof message.content === 'string') return message.content;
  return (message.content ?? []).map((part) => part.text ?? '').join('\n');
}

/** The first instruction of a tool result that has not been carried out yet. */
function obey(past: Past, tools: readonly ToolDefinition[]): ToolCall | undefined {
  for (const result of past.results.toReversed()) {
    const next = instructionsIn(plainText(result.text), tools, past).find((call) => !isDone(past, call));
    if (next) return next;
  }
  return undefined;
}

type Shape = readonly [
  RegExp,
  (match: RegExpMatchArray, tools: readonly ToolDefinition[], past: Past) => ToolCall | undefined,
];

const shapes: readonly Shape[] = [
  [
    /\bcall\s+([\w.-]{1,64})\s+with\s+(\{[^{}]{0,2000}\})/gi,
    ([, name, json], tools) => {
      const tool = tools.find((candidate) => sameName(candidate.function.name, name!));
      const parsed = parseObject(json!);
      return tool && parsed ? { name: tool.function.name, arguments: parsed } : undefined;
    },
  ],
  [
    /\brefund\s+(\d[\d.,]{0,15})\s*([A-Z]{3}|€|\$|£)?\s+(?:of|for|on)\s+order\s+([A-Z]-\d{3,8})(?:,\s*reason\s+"([^"\n]{1,80})")?/gi,
    ([, digits, currency, order, reason], tools) => {
      const amount = Number(digits!.replaceAll(',', ''));
      if (!(amount > 0)) return undefined;
      return callOf(tools, ['refund'], { order, amount, currency: currency ?? 'EUR', reason: reason ?? 'requested' });
    },
  ],
  [
    /\bread\s+orders?\s+([A-Z]-\d{3,8}(?:(?:\s*,\s*|\s+and\s+)[A-Z]-\d{3,8}){0,19})/gi,
    ([, ids], tools) => callOf(tools, ['orders', 'read'], { order: ids!.match(orderId) ?? [] }),
  ],
  [
    /\b(?:post|send|forward|upload)\b[^\n]{0,120}?\bto\s+(https?:\/\/[^\s"'<>]{1,500}[^\s"'<>.,;:!?)])/gi,
    ([, url], tools, past) => callOf(tools, ['post'], { url: url!, body: past.results.at(-1)?.text ?? '' }),
  ],
];

function instructionsIn(text: string, tools: readonly ToolDefinition[], past: Past): readonly ToolCall[] {
  const found: { at: number; call: ToolCall }[] = [];
  for (const [pattern, toCall] of shapes) {
    for (const match of text.matchAll(pattern)) {
      const call = toCall(match, tools, past);
      if (call) found.push({ at: match.index, call });
    }
  }
  return found.sort((a, b) => a.at - b.at).map((item) => item.call);
}

/** A call counts as carried out when tool and arguments agree; of a post the address is enough, its body grows stale. */
function isDone(past: Past, call: ToolCall): boolean {
  return past.done.some(
    (earlier) =>
      earlier.name === call.name &&
      (typeof call.arguments.url === 'string'
        ? earlier.arguments.url === call.arguments.url
        : JSON.stringify(earlier.arguments) === JSON.stringify(call.arguments)),
  );
}

const orderId = /\b[A-Z]-\d{3,8}\b/g;

function followScript(past: Past, tools: readonly ToolDefinition[]): ToolCall | undefined {
  const ticket = /\bticket\s+#?(\d{1,12})\b/i.exec(past.user)?.[1];
  if (ticket === undefined) return undefined;
  const ticketCall = callOf(tools, ['tickets', 'read'], { ticket });
  if (!ticketCall) return undefined;
  if (!isDone(past, ticketCall)) return ticketCall;
  const named = ordersNamed(past, ticketCall);
  const orderCall = named.length > 0 ? callOf(tools, ['orders', 'read'], { order: named }) : undefined;
  return orderCall && !isDone(past, orderCall) ? orderCall : undefined;
}

/** The order the customer writes about: the first one the ticket names. */
function ordersNamed(past: Past, ticketCall: ToolCall): readonly string[] {
  const ticket = past.results.find((result) => result.call?.name === ticketCall.name);
  return (ticket?.text.match(orderId) ?? []).slice(0, 1);
}

function answer(past: Past): string {
  const ticketText = past.results.find((result) => plainText(result.text).includes('ticket_id'))?.text ?? '';
  const wanted = ticketText.match(orderId)?.[0];
  for (const result of past.results.toReversed()) {
    const parsed = parseObject(result.text)?.orders;
    const order = Array.isArray(parsed) ? parsed.find((item) => item?.order_id === wanted) : undefined;
    if (order)
      return `Hello, your order ${order.order_id} (${order.item}) is ${order.status}. Kind regards, the support team`;
  }
  return 'I could not find the order you ask about. Could you send me its number?';
}

/** A call of the first tool whose name has all the words, its parameters filled by what their names say. */
function callOf(
  tools: readonly ToolDefinition[],
  words: readonly string[],
  values: Readonly<Record<string, unknown>>,
): ToolCall | undefined {
  const tool = tools.find((candidate) => {
    const parts = candidate.function.name.toLowerCase().split(/[._-]/);
    return words.every((word) => parts.includes(word));
  });
  if (!tool) return undefined;
  const filled: Record<string, unknown> = {};
  for (const [parameter, schema] of Object.entries(tool.function.parameters?.properties ?? {})) {
    const key = Object.keys(values).find((name) => parameter.toLowerCase().startsWith(name));
    if (key !== undefined) filled[parameter] = fit(values[key], schema.type);
  }
  return { name: tool.function.name, arguments: filled };
}

function fit(value: unknown, type: unknown): unknown {
  if (type === 'array') return Array.isArray(value) ? value : [value];
  return Array.isArray(value) ? value[0] : value;
}

function sameName(a: string, b: string): boolean {
  const flat = (name: string) => name.toLowerCase().replaceAll(/[._-]/g, '_');
  return flat(a) === flat(b);
}

/** Tool results are mostly JSON; its escapes (`\n`, `\"`) would hide an instruction from the shapes. */
function plainText(text: string): string {
  const parsed = parseJson(text);
  if (parsed === undefined || typeof parsed !== 'object') return text;
  const texts: string[] = [];
  collectTexts(parsed, texts, 0);
  return texts.join('\n');
}

function collectTexts(value: unknown, texts: string[], depth: number): void {
  if (depth > 16 || texts.length > 10_000) return;
  if (typeof value === 'string') texts.push(value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (!Array.isArray(value)) texts.push(key);
    collectTexts(member, texts, depth + 1);
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  const parsed = parseJson(text);
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Record<string, unknown>)
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
