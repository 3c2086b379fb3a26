/** Grafana's names of colours in its dark theme, in the order of its classic palette where a series has none. */
const named: Readonly<Record<string, string>> = {
  green: '#73bf69',
  yellow: '#fade2a',
  blue: '#5794f2',
  orange: '#ff9830',
  red: '#f2495c',
  purple: '#b877d9',
  text: '#ccccdc',
  gray: '#808080',
  transparent: 'transparent',
};

const shades: Readonly<Record<string, number>> = {
  'super-light': 1.35,
  light: 1.15,
  'semi-dark': 0.85,
  dark: 0.7,
};

/** The CSS colour of a name or of `#rrggbb`; grey for anything else. */
export function colourOf(name: string | undefined): string {
  if (name === undefined) return '#ccccdc';
  if (/^#[0-9a-f]{3,8}$/i.test(name)) return name;
  const [, shade = '', base = ''] = /^(super-light|light|semi-dark|dark)?-?([a-z]+)$/.exec(name) ?? [];
  const hex = named[base];
  if (hex === undefined) return '#808080';
  const factor = shades[shade];
  return factor === undefined ? hex : scaled(hex, factor);
}

/** The colour of the nth series that has none of its own. */
export function paletteColour(index: number): string {
  const palette = ['green', 'yellow', 'blue', 'orange', 'red', 'purple', 'dark-green', 'dark-blue', 'dark-orange'];
  return colourOf(palette[index % palette.length]);
}

function scaled(hex: string, factor: number): string {
  const channels = [1, 3, 5].map((at) =>
    Math.min(255, Math.round(Number.parseInt(hex.slice(at, at + 2), 16) * factor)),
  );
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
