import type { CategoryName } from '../model/span-events.ts';
import { messageTaxonomy } from './message-fields.ts';

/**
 * The one list of names that rules, hunts, Grafana and the docs share: span properties, canonical OTel attributes and
 * derived facts. The rule linter checks fields against it, and docs/taxonomy.md is generated from it.
 */
export interface TaxonomyEntry {
  readonly name: string;
  readonly kind: 'span' | 'attribute' | 'fact';
  /** `text[]` is a list of texts: a rule matches when any member does. */
  readonly type: 'text' | 'number' | 'boolean' | 'text[]' | 'map' | 'json';
  readonly description: string;
  /** Further names may follow after a dot: `spanwarden.argument.amount`. */
  readonly open?: true;
}

export const categoryDescriptions: Readonly<Record<CategoryName, string>> = {
  llm: 'a call of a model: chat, generate_content, text_completion',
  tool: 'a tool call: execute_tool, MCP tools/call',
  agent: 'a run of an agent or workflow: invoke_agent, create_agent, invoke_workflow, plan',
  mcp: 'any span with mcp.method.name',
  retrieval: 'retrieval, embeddings, rerank',
  http: 'an HTTP request: http.request.method',
  db: 'a database call: db.system.name',
  file: 'a file operation: file.path',
};

const spanProperties: readonly TaxonomyEntry[] = [
  span('span.name', 'text', 'Name of the span.'),
  span('span.kind', 'text', 'Unspecified, Internal, Server, Client, Producer or Consumer.'),
  span('span.status_code', 'text', 'Unset, Ok or Error.'),
  span('span.status_message', 'text', 'Status message.'),
  span(
    'span.start_time',
    'text',
    'Start, RFC 3339 in UTC with nanoseconds; for `minute`, `hour`, `day`, … of the rules.',
  ),
  span('span.end_time', 'text', 'End, the same way.'),
  span('span.duration_ms', 'number', 'End minus start in milliseconds.'),
  span('span.scope_name', 'text', 'Name of the instrumentation scope.'),
  span('trace_id', 'text', 'Trace id, lower-case hex.'),
  span('span_id', 'text', 'Span id, lower-case hex.'),
  span('parent_span_id', 'text', 'Id of the parent span; absent on a root.'),
  span('service.name', 'text', 'service.name of the resource.'),
  span(
    'spanwarden.session',
    'text',
    'Session: the conversation, else the trace; calls that come in traces of their own are stitched, see dialects.md#sessions.',
  ),
  span(
    'spanwarden.session.source',
    'text',
    'What made the span part of its session: conversation, response, tool_call, prefix or trace.',
  ),
  span(
    'spanwarden.agent',
    'text',
    'Agent as baselines know it: gen_ai.agent.name, else .id, else service.name; with `@<version>` when the span has one.',
  ),
  { ...span('resource', 'text', 'A resource attribute: resource.<name>.'), open: true },
];

const attributes: readonly TaxonomyEntry[] = [
  attribute('gen_ai.operation.name', 'text', 'chat, execute_tool, invoke_agent, embeddings, retrieval, …'),
  attribute('gen_ai.provider.name', 'text', 'Provider of the model: openai, anthropic, aws.bedrock, …'),
  attribute('gen_ai.request.model', 'text', 'Model asked for.'),
  attribute('gen_ai.response.model', 'text', 'Model that answered.'),
  attribute('gen_ai.response.id', 'text', 'Id of the response.'),
  attribute('gen_ai.request.previous_response.id', 'text', 'Id of the response that the call goes on from.'),
  attribute('gen_ai.response.finish_reasons', 'text[]', 'Why the model stopped.'),
  attribute('gen_ai.input.messages', 'json', 'Messages sent to the model, JSON.'),
  attribute('gen_ai.output.messages', 'json', 'Messages the model gave, JSON.'),
  attribute('gen_ai.system_instructions', 'json', 'System instructions, JSON array of parts.'),
  attribute('gen_ai.tool.definitions', 'json', 'Tools offered to the model, JSON.'),
  attribute('gen_ai.tool.name', 'text', 'Name of the tool that ran.'),
  attribute('gen_ai.tool.type', 'text', 'function, extension or datastore.'),
  attribute('gen_ai.tool.description', 'text', 'Description of the tool.'),
  attribute('gen_ai.tool.call.id', 'text', 'Id of the tool call.'),
  attribute('gen_ai.tool.call.arguments', 'json', 'Arguments of the tool call, JSON.'),
  attribute('gen_ai.tool.call.result', 'json', 'Result of the tool call, JSON or text.'),
  attribute('gen_ai.agent.name', 'text', 'Name of the agent.'),
  attribute('gen_ai.agent.id', 'text', 'Id of the agent.'),
  attribute('gen_ai.agent.version', 'text', 'Version of the agent.'),
  attribute('gen_ai.conversation.id', 'text', 'Conversation or session.'),
  attribute('gen_ai.workflow.name', 'text', 'Name of the workflow.'),
  attribute('gen_ai.usage.input_tokens', 'number', 'Tokens sent, cache included.'),
  attribute('gen_ai.usage.output_tokens', 'number', 'Tokens received.'),
  attribute('gen_ai.usage.cache_read.input_tokens', 'number', 'Tokens read from the provider cache.'),
  attribute('gen_ai.usage.cache_write.input_tokens', 'number', 'Tokens written to the provider cache.'),
  attribute('gen_ai.usage.reasoning.output_tokens', 'number', 'Tokens spent on reasoning.'),
  attribute('gen_ai.request.temperature', 'number', 'Sampling temperature.'),
  attribute('gen_ai.request.max_tokens', 'number', 'Token limit of the answer.'),
  attribute('gen_ai.request.stream', 'boolean', 'Whether the answer was streamed.'),
  attribute('gen_ai.retrieval.query.text', 'text', 'Text that was searched for.'),
  attribute('gen_ai.retrieval.documents', 'json', 'Documents found, JSON.'),
  attribute('gen_ai.data_source.id', 'text', 'Data source of a retrieval.'),
  attribute('mcp.method.name', 'text', 'initialize, tools/list, tools/call, …'),
  attribute('mcp.session.id', 'text', 'MCP transport session; not the conversation.'),
  attribute('mcp.protocol.version', 'text', 'MCP protocol version.'),
  attribute('mcp.resource.uri', 'text', 'MCP resource.'),
  attribute('network.transport', 'text', 'pipe (stdio), tcp, quic.'),
  attribute('server.address', 'text', 'Host that was called.'),
  attribute('server.port', 'number', 'Port that was called.'),
  attribute('url.full', 'text', 'Full URL of a request.'),
  attribute('http.request.method', 'text', 'HTTP method.'),
  attribute('http.request.body.size', 'number', 'Bytes of the body of an HTTP request.'),
  attribute('http.response.status_code', 'number', 'HTTP status.'),
  attribute('db.system.name', 'text', 'Database product.'),
  attribute('db.query.text', 'text', 'Database query.'),
  attribute('file.path', 'text', 'File path.'),
  attribute('user.id', 'text', 'User on whose behalf the agent acts.'),
  attribute('spanwarden.agent_event', 'text', 'Name of the log event that it was told by: claude_code.tool_result, …'),
  attribute('spanwarden.decision', 'text', 'What was decided about the tool call: approved or denied.'),
  attribute(
    'spanwarden.decision_source',
    'text',
    'Who or what decided, in the words of the agent: config, hook, user, …',
  ),
  attribute('spanwarden.sandbox_disabled', 'boolean', 'True when the call asked for no sandbox.'),
  attribute(
    'spanwarden.tool_call.view',
    'text',
    'Where a tool call was seen that has no tool span: messages, mcp_client or mcp_server; absent on tool spans.',
  ),
  attribute('spanwarden.tool_call.told_by', 'text', 'The span that tells it: `<span id> in trace <trace id>`.'),
  attribute(
    'spanwarden.tool_call.outcome',
    'text',
    'unasked: a result without a call (category tool). In events of category agent, changed: executed with other arguments than the model ' +
      'proposed; unanswered: proposed, and neither executed nor answered within ten minutes.',
  ),
  attribute(
    'spanwarden.tool_call.changed_arguments',
    'text[]',
    'Of a changed call, `<argument>: <proposed> -> <executed>`, or `(left out)` in place of what was executed.',
  ),
  attribute(
    'spanwarden.tool_call.added_arguments',
    'text[]',
    'Of a changed call, `<argument>: <executed>` of those that were not proposed; often defaults.',
  ),
  attribute(
    'spanwarden.tool_call.proposed_arguments',
    'json',
    'Of a changed call, the arguments that the model proposed.',
  ),
  attribute('error.type', 'text', 'Class of the error; absent on success.'),
  attribute('rpc.response.status_code', 'text', 'JSON-RPC error code of an MCP call.'),
];

const facts: readonly TaxonomyEntry[] = [
  fact('spanwarden.dialect', 'text[]', 'Dialects the span speaks beside the canonical attributes: openinference, …'),
  fact('spanwarden.dialect_version', 'text', 'Version of what emitted it, where it says so.'),
  fact(
    'spanwarden.coverage.missing',
    'text[]',
    'Content that was not captured, or was redacted by what emitted the span: input_messages, output_messages, tool_name, ' +
      'tool_arguments, tool_result, documents.',
  ),
  fact(
    'spanwarden.usage.input_tokens',
    'number',
    'Tokens sent by a model call, cache included, counted once: absent on a model call that restates those of one below it.',
  ),
  fact('spanwarden.usage.output_tokens', 'number', 'Tokens received, reasoning included, the same way.'),
  fact('spanwarden.usage.cached_tokens', 'number', 'Input tokens read from the cache of the provider, the same way.'),
  fact('spanwarden.usage.reasoning_tokens', 'number', 'Output tokens spent on reasoning, the same way.'),
  fact(
    'spanwarden.usage.cost_usd',
    'number',
    'What these tokens cost in US dollars by the list price of the day; absent where the price of the model is not known.',
  ),
  fact('spanwarden.text.user', 'text[]', 'User texts that are new in this call: after the last assistant message.'),
  fact('spanwarden.text.tool_result', 'text[]', 'Tool results: of this tool span, or new in this model call.'),
  fact('spanwarden.text.system', 'text[]', 'System instructions.'),
  fact('spanwarden.text.output', 'text[]', 'Texts the model gave, reasoning included.'),
  fact('spanwarden.text.tool_definition', 'text[]', 'Names, descriptions and parameter descriptions of offered tools.'),
  fact('spanwarden.text.retrieved', 'text[]', 'Contents of retrieved documents.'),
  fact('spanwarden.text.arguments', 'text[]', 'Every text inside the arguments of this tool span.'),
  {
    ...fact('spanwarden.argument', 'map', 'One argument of a tool span, parsed: spanwarden.argument.<key>[.<key>…].'),
    open: true,
  },
  fact('spanwarden.proposed.tool_names', 'text[]', 'Tools the model asked to call in its output.'),
  fact(
    'spanwarden.effect.kinds',
    'text[]',
    'What the tool call does, from its name and arguments: read, write, delete, send, pay, execute, post, merge, install.',
  ),
  fact('spanwarden.effect.urls', 'text[]', 'URLs in tool arguments.'),
  fact(
    'spanwarden.effect.hosts',
    'text[]',
    'Hosts of these URLs, of arguments that name a host, and of network commands; lower case, ports removed.',
  ),
  fact('spanwarden.effect.domains', 'text[]', 'Registrable domains of these hosts.'),
  fact(
    'spanwarden.effect.external_domains',
    'text[]',
    'The same without loopback, private and internal hosts; bare public IP addresses included.',
  ),
  fact('spanwarden.effect.ips', 'text[]', 'IP addresses in tool arguments, odd notations (hex, octal) made canonical.'),
  fact('spanwarden.effect.emails', 'text[]', 'E-mail addresses in tool arguments.'),
  fact('spanwarden.effect.paths', 'text[]', 'File paths in tool arguments, dot segments resolved.'),
  fact('spanwarden.effect.commands', 'text[]', 'Shell commands in tool arguments.'),
  fact('spanwarden.effect.http_method', 'text', 'HTTP method of the call, upper case.'),
  fact(
    'spanwarden.effect.body_bytes',
    'number',
    'Bytes that a call sends: its body or content arguments, data on a curl or wget command line, or http.request.body.size.',
  ),
  fact('spanwarden.effect.amounts', 'text[]', 'Money amounts in tool arguments, as decimal text.'),
  fact(
    'spanwarden.effect.money',
    'text[]',
    'Sums with their currency in tool arguments, as `<decimal> <ISO 4217>`; `$` alone counts as USD.',
  ),
  fact(
    'spanwarden.effect.accounts',
    'text[]',
    'Accounts in tool arguments, as `<kind> <masked>`: iban, card, wallet, routing, account.',
  ),
  fact(
    'spanwarden.effect.host_classes',
    'text[]',
    'Classes of these hosts: external, metadata (cloud credentials), loopback, private, link_local, carrier_nat, multicast, ' +
      'unspecified, reserved, internal_name. IPv6 forms that carry an IPv4 address are what that address is.',
  ),
  fact(
    'spanwarden.effect.odd_addresses',
    'text[]',
    'IP addresses as written where the notation hides them: hex, octal, one number, fewer than four parts, IPv4 inside IPv6.',
  ),
  fact(
    'spanwarden.effect.tunnel_hosts',
    'text[]',
    'Hosts whose labels look like data on its way out by DNS: long coded labels, or `$()` for what a shell substitution puts in.',
  ),
  fact(
    'spanwarden.effect.programs',
    'text[]',
    'Programs that shell commands start, without folder and wrappers (sudo, env, xargs, …), also in substitutions and `sh -c`.',
  ),
  fact(
    'spanwarden.effect.segments',
    'text[]',
    'Each program with its arguments and redirections, as the shell would run it: quotes off, known variables put in. `| ` before it ' +
      'says that it reads from a pipe, `$( ` that it stands in a substitution, `<( ` in a process substitution; `$()` stands for one.',
  ),
  fact(
    'spanwarden.effect.shell_features',
    'text[]',
    'What the commands make use of: pipe, substitution, redirect, here_document, background, privileged, nested_shell; unparsed where ' +
      'the grammar did not fit, truncated past 2048 programs.',
  ),
  fact(
    'spanwarden.effect.sql_kinds',
    'text[]',
    'Kinds of SQL statements in arguments, command lines of database clients and db.query.text: select, insert, update, delete, drop, grant, …',
  ),
  fact('spanwarden.effect.sql_tables', 'text[]', 'Tables that they name, lower case, with schema where written.'),
  fact(
    'spanwarden.effect.sql_marks',
    'text[]',
    'What is special about them: injection, stacked, tautology, union, union_padding, trailing_comment, schema_tables, credential_tables, ' +
      'no_where, file_access, command_execution, network_access, time_delay, privileges.',
  ),
  fact('spanwarden.content.secrets', 'text[]', 'Kinds of secrets in any text of the span.'),
  fact('spanwarden.content.pii', 'text[]', 'Kinds of personal data in any text of the span.'),
  fact(
    'spanwarden.content.hidden_unicode',
    'text[]',
    'Kinds of hidden characters in any text: tag, zero_width, bidi, variation_selector.',
  ),
  fact(
    'spanwarden.content.homoglyphs',
    'text[]',
    'Words that read as English but hold letters of another script, as `<how it reads> <code points>`.',
  ),
  fact(
    'spanwarden.content.encodings',
    'text[]',
    'Encodings in any text that decode to text: percent, html, escape, tag_characters, base64, hex, rot13.',
  ),
  fact(
    'spanwarden.content.places',
    'text[]',
    'Where secrets and personal data stand in the first 64 KiB of each text: `<class> <kind> <text>[<n>] <start>-<end> <encodings> <masked>`, ' +
      'and `checksum:ok` or `checksum:bad` where the format has one.',
  ),
  fact(
    'spanwarden.content.encoded_places',
    'text[]',
    'Where encoded text stands: `<text>[<n>] <start>-<end> <encodings>`, such as `base64>hex`.',
  ),
  fact(
    'spanwarden.outgoing.secrets',
    'text[]',
    'Kinds of secrets in arguments of a call that sends, posts, pays or executes, encoded or not.',
  ),
  fact('spanwarden.outgoing.pii', 'text[]', 'Kinds of personal data in arguments of such a call.'),
  fact('spanwarden.output.urls', 'text[]', 'URLs in the text the model gave.'),
  fact('spanwarden.output.domains', 'text[]', 'Registrable domains of these URLs.'),
  fact('spanwarden.output.image_urls', 'text[]', 'Image URLs (markdown or HTML) in the text the model gave.'),
  fact(
    'spanwarden.flow.untrusted_arguments',
    'text[]',
    'Model call: `tool.argument=value` of proposed sink calls whose value stands in the new tool results or documents of ' +
      'this call and in no user or system text.',
  ),
  fact(
    'spanwarden.flow.untrusted_destinations',
    'text[]',
    'Those of them that say where to: URLs, hosts, e-mail addresses, account numbers (IBAN).',
  ),
  fact('spanwarden.flow.sink_kinds', 'text[]', 'Effects of the proposed calls with such arguments.'),
  fact(
    'spanwarden.values.source',
    'text[]',
    'URLs, hosts, e-mail addresses, accounts, secrets and personal data in tool results and documents, by hash: `source <when> ' +
      '<class> <kind> <hash> <shown>`, the class being untrusted or internal. Rules of type `flow` follow them.',
  ),
  fact('spanwarden.values.source_decoded', 'text[]', 'The same of what encoded parts of them say.'),
  fact('spanwarden.values.source_words', 'text[]', 'Fingerprints of runs of words in them.'),
  fact('spanwarden.values.source_ids', 'text[]', 'Words with digits in them.'),
  fact('spanwarden.values.trusted', 'text[]', 'Such values in what users, operators and approvals say.'),
  fact('spanwarden.values.trusted_words', 'text[]', 'Fingerprints of runs of words in it.'),
  fact('spanwarden.values.trusted_ids', 'text[]', 'Words with digits in it.'),
  fact(
    'spanwarden.values.used',
    'text[]',
    'Such values in arguments of tool calls, done or proposed: `used <when> <effects> <kind> <hash> <shown>`.',
  ),
  fact('spanwarden.values.used_decoded', 'text[]', 'The same of what encoded parts of arguments say.'),
  fact('spanwarden.values.used_words', 'text[]', 'Fingerprints of runs of words in arguments.'),
  fact('spanwarden.values.used_ids', 'text[]', 'Words with digits in arguments.'),
  fact(
    'spanwarden.tool.definition_hashes',
    'text[]',
    'Tools offered to the model, each as `<name> <hash of its definition>`; order of keys and white space do not matter.',
  ),
  fact('spanwarden.sandbox', 'text', 'Sandbox the agent says it runs in: none, container, vm, …; absent when unknown.'),
];

export const taxonomy: readonly TaxonomyEntry[] = [...spanProperties, ...attributes, ...facts, ...messageTaxonomy];

function span(name: string, type: TaxonomyEntry['type'], description: string): TaxonomyEntry {
  return { name, kind: 'span', type, description };
}

function attribute(name: string, type: TaxonomyEntry['type'], description: string): TaxonomyEntry {
  return { name, kind: 'attribute', type, description };
}

function fact(name: string, type: TaxonomyEntry['type'], description: string): TaxonomyEntry {
  return { name, kind: 'fact', type, description };
}
