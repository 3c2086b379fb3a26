import { ownWords, sumsOn } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { exceptionType, first, operationIs, thrown, when } from './readings.ts';

/**
 * Microsoft's Agent Framework: OTel's names of our day. Agents give its name for the provider and the tokens of all their calls; tools are
 * offered on agents alone.
 * https://learn.microsoft.com/agent-framework/agents/observability
 */
export const agentFramework: Dialect = {
  name: 'agent_framework',
  marks: {
    scopes: ['agent_framework', 'agent_framework.*', 'Microsoft.Agents.AI*', 'Experimental.Microsoft.Agents.AI*'],
  },
  fields: {
    'gen_ai.tool.call.result': when(operationIs('execute_tool'), thrown),
    'gen_ai.workflow.name': first('workflow.name'),
    'error.type': exceptionType,
  },
  corrects: { ...ownWords, ...sumsOn(operationIs('invoke_agent', 'invoke_workflow')) },
};
