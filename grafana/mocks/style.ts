import { html } from './html.ts';

/** The look of a page, near to Grafana's dark theme: 24 columns, rows of 30 pixels, 8 between them. */
export const style = html`
:root { color-scheme: dark; font: 13px/1.4 Inter, Helvetica, Arial, sans-serif; }
body { margin: 0 auto; width: 1600px; padding: 16px; background: #111217; color: #ccccdc; }
h1 { font-size: 20px; margin: 0 0 4px; }
.mock { background: #b33; color: #fff; padding: 4px 10px; font-weight: bold; }
.problems { background: #4a3800; padding: 6px 24px; margin: 8px 0; }
.variables { display: flex; flex-wrap: wrap; gap: 8px; margin: 10px 0; }
.variables > div { background: #181b1f; border: 1px solid #34363d; padding: 2px 8px; max-width: 500px; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(24, minmax(0, 1fr)); grid-auto-rows: 30px; gap: 8px; margin-bottom: 8px; }
.row { font-size: 15px; font-weight: bold; margin: 6px 0; border-top: 1px solid #34363d; padding-top: 6px; }
.panel { background: #181b1f; border: 1px solid #25272e; border-radius: 3px; display: flex; flex-direction: column; position: relative; min-height: 0; overflow: hidden; }
.panel h2 { font-size: 13px; margin: 0; padding: 6px 30px 4px 8px; font-weight: 500; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.panel h2 small { color: #6e7079; font-weight: normal; }
.about { position: absolute; right: 6px; top: 6px; max-width: 85%; z-index: 2; text-align: right; }
.about p { background: #2b2f38; border: 1px solid #555; padding: 6px 8px; margin: 2px 0; text-align: left; }
.about summary { cursor: help; list-style: none; color: #8e8e9e; font-style: italic; padding: 0 4px; }
.content { flex: 1; overflow: auto; padding: 0 8px 6px; min-height: 0; }
.empty { color: #8e8e9e; text-align: center; margin: 12px 8%; }
.failure { color: #f2495c; white-space: pre-wrap; overflow-wrap: anywhere; }
.figures { display: flex; height: 100%; align-items: center; justify-content: space-around; gap: 4px; }
.figure { flex: 1; text-align: center; min-width: 0; overflow: hidden; padding: 4px 2px; }
.label { font-size: 12px; opacity: 0.85; overflow: hidden; text-overflow: ellipsis; }
.value { font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.dial { text-align: center; } .track { fill: none; stroke: #2b2f38; stroke-width: 10; } .hole { fill: #181b1f; }
.pie { display: flex; gap: 12px; align-items: center; } .legend-list { overflow: auto; max-height: 100%; }
i { display: inline-block; width: 10px; height: 4px; margin-right: 5px; vertical-align: middle; }
.bar-row, .band, .span { display: flex; align-items: center; gap: 8px; padding: 2px 0; }
.bar-label { width: 28%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar-track, .span-track { flex: 1; background: #22252b; min-width: 0; } .bar { height: 16px; min-width: 1px; }
.bar-value { width: 90px; text-align: right; white-space: nowrap; overflow: hidden; }
.band-track { position: relative; flex: 1; height: 26px; background: #22252b; }
.segment { position: absolute; height: 26px; line-height: 26px; overflow: hidden; white-space: nowrap; font-size: 11px; text-align: center; }
.span { border-bottom: 1px solid #22252b; } .span-name { width: 42%; overflow: hidden; overflow-wrap: anywhere; }
details summary { color: #8e8e9e; cursor: pointer; } details.line summary { color: inherit; font-family: monospace; }
pre, .written { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
th { text-align: left; color: #6e9fff; font-weight: 500; position: sticky; top: 0; background: #181b1f; }
th, td { border-bottom: 1px solid #25272e; padding: 3px 6px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: top; }
th.number, td.number { text-align: right; } td.wraps { white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: #6e9fff; } .note { color: #8e8e9e; }
.chart { display: flex; gap: 6px; } .chart svg { flex: 1; background: #14161b; min-width: 0; }
.ticks { display: flex; flex-direction: column; justify-content: space-between; width: 52px; text-align: right; font-size: 11px; color: #8e8e9e; }
.names { display: flex; justify-content: space-between; margin-left: 58px; font-size: 11px; color: #8e8e9e; gap: 4px; overflow: hidden; white-space: nowrap; }
.names span { overflow: hidden; text-overflow: ellipsis; } .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 12px; max-height: 38px; overflow: hidden; }
.series, .mark { vector-effect: non-scaling-stroke; stroke-width: 1.5; } .mark { stroke-dasharray: 4 3; }
svg text { fill: #ccccdc; font-size: 11px; }
`;
