import { seriesColour, shown } from './fields.ts';
import { type Html, html, type Part } from './html.ts';
import { type Figure, figuresOf } from './reduce.ts';
import { optionsOf, type PanelView } from './view.ts';

/** Large figures side by side; undefined when there is nothing to show. */
export function statPanel(view: PanelView): Html | undefined {
  const figures = figuresOf(view);
  if (figures.length === 0) return undefined;
  const { textMode, colorMode } = optionsOf(view);
  const tiles = figures.map((figure) => {
    const { text, colour } = shown(figure.field, figure.value, view.page.nowMs);
    const named = textMode !== 'value' && textMode !== 'none' && (textMode !== 'auto' || figures.length > 1);
    const back = typeof colorMode === 'string' && colorMode.startsWith('background') && colour !== undefined;
    const paint = back ? `background:${colour};color:#fff` : `color:${(colorMode !== 'none' && colour) || 'inherit'}`;
    const size = Math.max(14, Math.min(34, (view.width / figures.length / Math.max(4, text.length)) * 1.5));
    return html`<div class="figure" style="${paint}"><div class="label">${named ? figure.label : ''}</div><div class="value" style="font-size:${size}px">${text}</div></div>`;
  });
  return html`<div class="figures">${tiles}</div>`;
}

/** One bar for each figure, as long as it is against the largest. */
export function barGaugePanel(view: PanelView): Html | undefined {
  const figures = figuresOf(view);
  if (figures.length === 0) return undefined;
  const bars = figures.map(({ field, label, value }, index) => {
    const { text, colour } = shown(field, value, view.page.nowMs);
    const width = Math.round(share(field.config, value, figures) * 100);
    return html`<div class="bar-row"><div class="bar-label">${label}</div><div class="bar-track"><div class="bar" style="width:${width}%;background:${colour ?? seriesColour(field, index)}"></div></div><div class="bar-value">${text}</div></div>`;
  });
  return html`<div class="bars">${bars}</div>`;
}

/** A half circle for each figure, filled as far as it is between its minimum and maximum. */
export function gaugePanel(view: PanelView): Html | undefined {
  const figures = figuresOf(view);
  if (figures.length === 0) return undefined;
  const size = Math.max(60, Math.min(view.height - 40, (view.width / figures.length) * 0.9, 180));
  const length = Math.PI * 40;
  const dials = figures.map(({ field, label, value }, index) => {
    const { text, colour } = shown(field, value, view.page.nowMs);
    const filled = share(field.config, value, figures) * length;
    const arc = 'M 10 50 A 40 40 0 0 1 90 50';
    return html`<div class="dial"><svg viewBox="0 0 100 56" width="${size}" height="${size * 0.56}"><path d="${arc}" class="track"/><path d="${arc}" fill="none" stroke="${colour ?? seriesColour(field, index)}" stroke-width="10" stroke-dasharray="${filled} ${length}"/></svg><div class="value">${text}</div><div class="label">${label}</div></div>`;
  });
  return html`<div class="figures">${dials}</div>`;
}

/** A pie or ring of the figures' shares, with its legend. */
export function piePanel(view: PanelView): Html | undefined {
  const figures = figuresOf(view).filter(({ value }) => typeof value === 'number' && value > 0);
  const total = figures.reduce((sum, { value }) => sum + Number(value), 0);
  if (total === 0) return undefined;
  let from = 0;
  const slices: Part[] = [];
  const legend: Part[] = [];
  figures.forEach(({ field, label, value }, index) => {
    const part = Number(value) / total;
    const { text, colour: own } = shown(field, value, view.page.nowMs);
    const colour = own ?? seriesColour(field, index);
    slices.push(
      html`<circle r="25" cx="50" cy="50" fill="none" stroke="${colour}" stroke-width="50" stroke-dasharray="${part * 50 * Math.PI} ${50 * Math.PI}" transform="rotate(${from * 360 - 90} 50 50)"/>`,
    );
    legend.push(
      html`<div><i style="background:${colour}"></i>${label} <b>${text}</b> ${Math.round(part * 100)}%</div>`,
    );
    from += part;
  });
  const hole = optionsOf(view).pieType === 'donut' ? html`<circle r="28" cx="50" cy="50" class="hole"/>` : undefined;
  const size = Math.max(60, Math.min(view.height - 10, view.width * 0.5));
  return html`<div class="pie"><svg viewBox="0 0 100 100" width="${size}" height="${size}">${slices}${hole}</svg><div class="legend-list">${legend}</div></div>`;
}

/** How far a figure is between its minimum and its maximum, which is the largest figure when none is given. */
function share(config: Figure['field']['config'], value: unknown, figures: readonly Figure[]): number {
  const numbers = figures.map((figure) => Number(figure.value ?? 0)).filter(Number.isFinite);
  const min = config.min ?? 0;
  const max = config.max ?? numbers.reduce((a, b) => Math.max(a, b), min);
  return max > min ? Math.min(1, Math.max(0, (Number(value ?? 0) - min) / (max - min))) : 0;
}
