import { entropy } from './checksums.ts';
import type { SecretFormat } from './secret-format.ts';

/**
 * Secrets that are told by what stands in front of them: URLs, headers, options of commands, names. Their values are judged by
 * their entropy and by what is written where none is meant to be.
 */
export const secretContexts: readonly SecretFormat[] = [
  {
    kind: 'url_credentials',
    hints: ['://'],
    pattern:
      /(?<![\w+.-])[a-z][a-z0-9+.-]{1,20}:\/\/(?:[^\s:/@"'<>]{0,128}:[^\s/"'<>]{6,128}|[\w.~-]{20,250})@[\w.[\]-]{1,253}/,
    accepts: isRealUrlPassword,
    secretAt: urlPasswordAt,
  },
  {
    kind: 'authorization',
    hints: ['uthorization', 'UTHORIZATION', 'earer ', 'EARER '],
    pattern:
      /(?<!\w)(?:authorization["']?\s{0,4}[:=,]\s{0,4}["']?(?:bearer|basic|token|bot|apikey|digest)|bearer)\s{1,4}["']?[\w+/=.~-]{8,2000}/i,
    accepts: isCredential,
    secretAt: lastWordAt,
  },
  {
    kind: 'cookie',
    hints: ['ookie', 'OOKIE'],
    pattern:
      /(?<!\w)(?:set-)?cookie["']?\s{0,4}[:=]\s{0,4}["']?(?:[\w.-]{1,64}=[^;\s"']{0,256};\s?){0,16}[\w.-]{1,64}=[\w%+/=.~|:-]{16,4096}/i,
    accepts: (found) => isRandom(found.slice(found.lastIndexOf(';') + 1), 3, '='),
    secretAt: (found) => found.search(/[:=]\s{0,4}["']?[\w.-]{1,64}=/) + /[:=]\s{0,4}["']?/.exec(found)![0].length,
  },
  {
    kind: 'command_password',
    hints: [' -u ', '--user', '--pass', '--token', '--api-key', '--secret', '--a', 'sshpass'],
    pattern:
      /(?<![\w-])(?:(?:-u|--user|--proxy-user)[ =]{1,2}["']?[\w.@%+-]{1,64}:[^\s"'@:/$]{6,128}|--(?:password|passwd|pass|passphrase|token|api-key|secret|access-token|auth-token)\s{1,3}["']?[^\s"'<>{}$()-][^\s"'<>{}$()]{7,200}|sshpass\s{1,3}-p\s{0,3}["']?[^\s"'$]{6,128})/,
    accepts: (found) => isPassword(found.slice(optionValueAt(found))),
    secretAt: optionValueAt,
  },
  {
    kind: 'password_assignment',
    hints: [
      'assw',
      'ASSW',
      'assphrase',
      'ASSPHRASE',
      '_pass',
      '_PASS',
      'pwd',
      'PWD',
      'Pwd',
      'ecret',
      'ECRET',
      'api_key',
      'API_KEY',
      'apiKey',
      'apikey',
      '_token',
      '_TOKEN',
      'oken"',
      'Token',
    ],
    pattern:
      /(?:password|passwd|passphrase|(?<=_)pass|pwd|secret(?:_?key)?(?:_?base)?|api_?key|access_?token|auth_?token)(?:(?<=(?:password|passwd|passphrase))["']\s{0,4}:\s{0,4}["'](?=[^\s"']{0,64}\d)[^\s"'<>]{6,200}(?=["'])|["']?\s{0,4}[:=]\s{0,4}["']?(?=[^\s"']{0,64}\d)(?=[^\s"']{0,64}[a-z])[^\s"'<>{}$()]{12,200})/i,
    accepts: (found) => isRandom(found, 2.5) && !isReference(found),
  },
  {
    kind: 'key_assignment',
    hints: ['key', 'Key', 'KEY', 'ecret', 'ECRET', 'oken', 'OKEN'],
    pattern:
      /(?:(?:secret|signing|encryption|api|private)[_-]?(?:access[_-]?)?key|client[_-]?secret|(?:auth|access|refresh|bearer|session|id|api|bot|user|private|personal|deploy|security|csrf|xsrf|oauth)[_-]?token|(?<![\w-])token)["']?\s{0,4}[:=]\s{0,4}["']?(?=[\w+/=.-]{0,64}\d)(?=[\w+/=.-]{0,64}[A-Za-z])[\w+/=.-]{20,200}/i,
    accepts: (found) => isRandom(found, 3.5),
  },
];

/** Whether the value of an assignment looks made by a machine and is no word that stands for one. */
function isRandom(found: string, bitsMin: number, sign?: string): boolean {
  const at = sign === undefined ? found.search(/[:=]/) : found.indexOf(sign);
  const value = found.slice(at + 1).replace(/^[\s"']+/, '');
  return entropy(value) >= bitsMin && !placeholder.test(value);
}

/** A template, or a folder under a name that means one as well. */
function isReference(found: string): boolean {
  return (
    /[:=]\s*["']?(?:\$[({A-Za-z_]|\{\{|%\w+%)|\$\{|\{\{/.test(found) ||
    /^pwd["']?\s*[:=]\s*["']?(?:[~./\\]|[a-z]:)/i.test(found)
  );
}

/** Words that stand for a secret, and what is stored in place of one. */
const placeholder =
  /^(?:(?:my|the|some|an?)(?![A-Za-z0-9])|your|test|dummy|fake|example|sample|placeholder|change|replace|redacted|insert|enter|process\.env|os\.|env\.|config\.|\*{3,}|x{4,})|example|placeholder|redacted|\.\.\.|^\[?(?:(?:secret|pii|content):)?[a-z0-9_]{1,40}:[0-9a-f]{16}\]/i;

function isRealUrlPassword(found: string): boolean {
  const [, userinfo = '', host = ''] = /:\/\/(.*)@([^@]*)$/s.exec(found) ?? [];
  if (exampleHost.test(host) || /[${}]/.test(userinfo)) return false;
  const colon = userinfo.indexOf(':');
  if (colon < 0) return /\d/.test(userinfo) && entropy(userinfo) >= 3.5 && !placeholder.test(userinfo);
  const password = userinfo.slice(colon + 1);
  return (
    password !== userinfo.slice(0, colon) &&
    !/^(?:p(?:ass|%40ss|@ss|wd).{0,4}|p(?:ass|%40ss|@ss)w(?:or)?d.*|secret|postgres|mysql|root|admin|guest|user|token|x+|\*+)$/i.test(
      password,
    ) &&
    !placeholder.test(password)
  );
}

const exampleHost = /^(?:localhost|127\.|\[::1|(?:[\w-]{1,63}\.){0,4}example\.(?:com|org|net)$)/;

/** Where in a URL what comes before the host is secret: behind the name of the user, or all of it. */
function urlPasswordAt(found: string): number {
  const start = found.indexOf('://') + 3;
  const colon = found.indexOf(':', start);
  return colon < 0 || colon > found.lastIndexOf('@') ? start : colon + 1;
}

function lastWordAt(found: string): number {
  return found.search(/[\w+/=.~-]+$/);
}

/** A token of a header: words of prose have no digits, and no capitals inside. */
function isCredential(found: string): boolean {
  const value = found.slice(lastWordAt(found));
  const isNamed = /^authorization/i.test(found);
  if (!/\d|[a-z][A-Z]/.test(value) || placeholder.test(value)) return false;
  return isNamed ? entropy(value) >= 2.5 : value.length >= 20 && /\d/.test(value) && entropy(value) >= 3.5;
}

function optionValueAt(found: string): number {
  const [option] = /^(?:(?:-u|--user|--proxy-user)[ =]{1,2}["']?[^:]*:|--[\w-]+\s+["']?|sshpass\s+-p\s*["']?)/.exec(
    found,
  ) ?? [''];
  return option.length;
}

/** A password and no number of a user or group. */
function isPassword(value: string): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) >= 2.5 && !placeholder.test(value);
}
