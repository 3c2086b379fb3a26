import { absentOn } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { either, exceptionType, first, has, inJson, mapped, operationIs, when } from './readings.ts';

const input = 'gen_ai.input.messages';
const output = 'gen_ai.output.messages';
const isTool = operationIs('execute_tool');
const isDevTool = has('type', 'tool-call');

/**
 * Spans of the Gemini CLI; its log records are read elsewhere (`log-events/gemini-cli.ts`). Operations have names of its own, and whatever
 * goes in and comes out stands under the names of messages; before 0.30 under `input-json` and `output-json`, in development alone.
 * https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md
 */
export const geminiCli: Dialect = {
  name: 'gemini_cli',
  marks: { scopes: ['gemini-cli'] },
  fields: {
    'gen_ai.operation.name': when(isDevTool, () => 'execute_tool'),
    'gen_ai.tool.name': when(isDevTool, (span) => span.name),
    'gen_ai.tool.call.id': when(isTool, either(inJson(input, 'callId'), inJson('input-json', 'request', 'callId'))),
    'gen_ai.tool.call.arguments': when(isTool, either(inJson(input, 'args'), inJson('input-json', 'request', 'args'))),
    'gen_ai.tool.call.result': when(
      isTool,
      either(
        inJson(output, 'response', 'resultDisplay'),
        inJson(output, 'response', 'responseParts'),
        first(output, 'output-json'),
      ),
    ),
    'error.type': exceptionType,
  },
  corrects: {
    'gen_ai.operation.name': mapped(first('gen_ai.operation.name'), {
      llm_call: 'chat',
      tool_call: 'execute_tool',
      agent_call: 'invoke_agent',
      user_prompt: 'invoke_agent',
      schedule_tool_calls: 'agent_step',
    }),
    ...absentOn(operationIs('execute_tool', 'agent_step'), input, output),
  },
};
