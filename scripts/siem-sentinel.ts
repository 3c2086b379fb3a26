// Table, data collection rule and parsers for Microsoft Sentinel, out of the columns that the format writes.
import { sentinelColumns, sentinelTable } from '../collector/src/export/formats/sentinel.ts';

const folder = 'collector/siem/sentinel';

/** The files by path. */
export const sentinelFiles: Readonly<Record<string, () => string>> = {
  [`${folder}/azuredeploy.json`]: () => `${JSON.stringify(template(), null, 2)}\n`,
  [`${folder}/ASimAlertEventSpanwarden.kql`]: alertParser,
  [`${folder}/ASimAgentEventSpanwarden.kql`]: agentParser,
};

const stream = `Custom-${sentinelTable}`;
const workspaceId = "[resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspaceName'))]";

/** An ARM template: the table, a rule with an endpoint of its own (kind Direct), and both parsers as functions. */
function template(): unknown {
  const columns = sentinelColumns.map(({ name, type }) => ({ name, type }));
  return {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    parameters: {
      workspaceName: { type: 'string', metadata: { description: 'Log Analytics workspace of Microsoft Sentinel' } },
      location: { type: 'string', defaultValue: '[resourceGroup().location]' },
    },
    resources: [
      {
        type: 'Microsoft.OperationalInsights/workspaces/tables',
        apiVersion: '2022-10-01',
        name: `[concat(parameters('workspaceName'), '/${sentinelTable}')]`,
        properties: { schema: { name: sentinelTable, columns } },
      },
      {
        type: 'Microsoft.Insights/dataCollectionRules',
        apiVersion: '2023-03-11',
        name: 'spanwarden',
        location: "[parameters('location')]",
        kind: 'Direct',
        dependsOn: [
          `[resourceId('Microsoft.OperationalInsights/workspaces/tables', parameters('workspaceName'), '${sentinelTable}')]`,
        ],
        properties: {
          streamDeclarations: { [stream]: { columns } },
          destinations: { logAnalytics: [{ workspaceResourceId: workspaceId, name: 'workspace' }] },
          dataFlows: [{ streams: [stream], destinations: ['workspace'], transformKql: 'source', outputStream: stream }],
        },
      },
      parserFunction('ASimAlertEventSpanwarden', alertParser()),
      parserFunction('ASimAgentEventSpanwarden', agentParser()),
    ],
    outputs: {
      ruleId: { type: 'string', value: "[reference('spanwarden').immutableId]" },
      endpoint: { type: 'string', value: "[reference('spanwarden').endpoints.logsIngestion]" },
    },
  };
}

function parserFunction(name: string, query: string): unknown {
  return {
    type: 'Microsoft.OperationalInsights/workspaces/savedSearches',
    apiVersion: '2020-08-01',
    name: `[concat(parameters('workspaceName'), '/${name}')]`,
    dependsOn: [
      `[resourceId('Microsoft.OperationalInsights/workspaces/tables', parameters('workspaceName'), '${sentinelTable}')]`,
    ],
    properties: {
      etag: '*',
      displayName: name,
      category: 'ASIM',
      functionAlias: name,
      functionParameters: 'disabled:bool=False',
      query,
      version: 1,
    },
  };
}

/** ASIM Alert Event, schema 0.1: field of ASIM, and what gives it. */
const alertFields: readonly (readonly [string, string])[] = [
  ['TimeGenerated', 'TimeGenerated'],
  ['Type', 'Type'],
  ['EventSchema', "'AlertEvent'"],
  ['EventSchemaVersion', "'0.1'"],
  ['EventVendor', "'Spanwarden'"],
  ['EventProduct', "'Spanwarden'"],
  ['EventProductVersion', 'CollectorVersion'],
  ['EventType', "'Alert'"],
  ['EventSubType', "'Threat'"],
  ['EventCount', 'toint(SeenCount)'],
  ['EventStartTime', 'StartTime'],
  ['EventEndTime', 'EndTime'],
  ['EventUid', 'EventUid'],
  ['EventOriginalUid', 'EventUid'],
  ['EventOriginalType', 'EventKind'],
  ['EventSeverity', 'Severity'],
  ['EventOriginalSeverity', 'OriginalSeverity'],
  ['EventReportUrl', 'Link'],
  ['AlertId', 'AlertId'],
  ['AlertName', 'AlertName'],
  ['AlertDescription', 'AlertDescription'],
  ['AlertStatus', "iff(Activity == 'close', 'Closed', 'Active')"],
  ['AlertOriginalStatus', 'Activity'],
  ['AttackTactics', "strcat_array(AttackTactics, ', ')"],
  ['AttackTechniques', "strcat_array(AttackTechniques, ', ')"],
  ['Rule', 'RuleName'],
  ['RuleName', 'RuleName'],
  ['RuleDescription', 'AlertDescription'],
  ['UserId', 'UserId'],
  ['Username', 'UserId'],
  ['User', 'UserId'],
  ['SessionId', 'SessionId'],
  ['DvcHostname', 'Collector'],
  ['Hostname', 'Collector'],
  ['AdditionalFields', additional(['CaseId', 'RuleId', 'AgentName', 'ToolName', 'TraceId', 'SpanId', 'Evidence'])],
];

/** ASIM Agent Event, schema 1.0.0. */
const agentFields: readonly (readonly [string, string])[] = [
  ['TimeGenerated', 'TimeGenerated'],
  ['Type', 'Type'],
  ['EventSchema', "'AgentEvent'"],
  ['EventSchemaVersion', "'1.0.0'"],
  ['EventVendor', "'Spanwarden'"],
  ['EventProduct', "'Spanwarden'"],
  ['EventType', "iff(isnotempty(ToolName), 'ToolInvocation', 'Other')"],
  ['EventOriginalType', 'SpanName'],
  ['EventCount', 'toint(SeenCount)'],
  ['EventStartTime', 'StartTime'],
  ['EventEndTime', 'EndTime'],
  ['EventUid', 'EventUid'],
  ['EventOriginalUid', 'EventUid'],
  ['EventSessionId', 'SessionId'],
  ['SrcAgentId', 'AgentName'],
  ['SrcAgentName', 'AgentName'],
  ['ActorUserId', 'UserId'],
  ['ActorUsername', 'UserId'],
  ['ActingAppName', 'ServiceName'],
  ['ToolName', 'ToolName'],
  ['AdditionalFields', additional(['AlertId', 'AlertName', 'CaseId', 'RuleId', 'TraceId', 'SpanId', 'Evidence'])],
];

/** Every finding and case that is no sample. */
function alertParser(): string {
  return parser('ASIM Alert Event', '| where not(IsSample)', alertFields);
}

/** What an agent did: findings, not the cases that are made of them, and each of them once. */
function agentParser(): string {
  const where = "| where not(IsSample) and EventKind == 'finding' and Activity == 'create'";
  return parser('ASIM Agent Event', where, agentFields);
}

/** `project` in one step reads the columns of the table alone, so that a name may stand on both sides. */
function parser(title: string, where: string, fields: readonly (readonly [string, string])[]): string {
  const lines = fields.map(([name, value]) => `        ${name === value ? name : `${name} = ${value}`}`);
  return `// ${title} out of ${sentinelTable}. Generated by npm run generate.
let parser = (disabled: bool = false) {
    ${sentinelTable}
    | where not(disabled)
    ${where}
    | project
${lines.join(',\n')}
};
parser(disabled = disabled)
`;
}

function additional(columns: readonly string[]): string {
  return `bag_pack(${columns.map((name) => `'${name}', ${name}`).join(', ')})`;
}
