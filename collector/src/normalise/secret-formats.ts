import { entropy, hasTokenChecksum } from './checksums.ts';

/** How a kind of secret is told from other text. */
export interface SecretFormat {
  readonly kind: string;
  /** Literals of which one stands in every such secret; they decide whether the pattern runs at all. */
  readonly hints: readonly string[];
  readonly pattern: RegExp;
  /** What the pattern alone cannot say. */
  readonly accepts?: (found: string) => boolean;
  /**
   * The issuer's checksum, where the format has one. A wrong one does not acquit: tokens of tests and traps are made
   * without it, and a leak of them is a leak. It is shown with the place where the secret stands.
   */
  readonly checksum?: (found: string) => boolean;
}

/**
 * Formats that carry their own proof: fixed prefixes and lengths as the issuers document them; then assignments, whose
 * values are judged by their entropy. Each pattern is linear: bounded repetitions of disjoint classes, no nested quantifiers.
 */
export const secretFormats: readonly SecretFormat[] = [
  { kind: 'aws_access_key', hints: ['AKIA', 'ASIA'], pattern: /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/ },
  {
    kind: 'github_token',
    hints: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,90})/,
    checksum: (found) => found.startsWith('github_pat_') || hasTokenChecksum(found),
  },
  prefixed('gitlab_token', 'glpat-', /[\w-]{20,50}/),
  prefixed('slack_token', 'xox', /[abeoprs]-[A-Za-z0-9-]{10,250}/),
  url('slack_webhook', 'hooks.slack.com/services/', /T\w{6,20}\/B\w{6,20}\/\w{16,40}/),
  url('discord_webhook', '/api/webhooks/', /\d{16,20}\/[\w-]{50,80}/),
  { kind: 'stripe_key', hints: ['_live_'], pattern: /(?<!\w)[sr]k_live_[A-Za-z0-9]{16,250}/ },
  { kind: 'openai_key', hints: ['sk-'], pattern: /(?<![\w-])sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,250}/ },
  { kind: 'anthropic_key', hints: ['sk-ant-'], pattern: /(?<![\w-])sk-ant-[A-Za-z0-9_-]{24,250}/ },
  { kind: 'google_api_key', hints: ['AIza'], pattern: /(?<!\w)AIza[\w-]{35}(?![\w-])/ },
  { kind: 'google_oauth', hints: ['ya29.', 'GOCSPX-'], pattern: /(?<![\w-])(?:ya29\.[\w-]{30,500}|GOCSPX-[\w-]{28})/ },
  {
    kind: 'npm_token',
    hints: ['npm_'],
    pattern: /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/,
    checksum: hasTokenChecksum,
  },
  prefixed('pypi_token', 'pypi-AgE', /[\w-]{50,250}/),
  prefixed('huggingface_token', 'hf_', /[A-Za-z]{34}(?!\w)/),
  prefixed('digitalocean_token', 'dop_v1_', /[a-f0-9]{64}(?!\w)/),
  prefixed('sendgrid_key', 'SG.', /[\w-]{22}\.[\w-]{43}(?![\w-])/),
  prefixed('shopify_token', 'shp', /(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?!\w)/),
  prefixed('databricks_token', 'dapi', /[a-f0-9]{32}(?:-\d)?(?!\w)/),
  prefixed('vault_token', 'hvs.', /[\w-]{24,150}/),
  prefixed('postman_key', 'PMAK-', /[a-f0-9]{24}-[a-f0-9]{34}(?!\w)/),
  prefixed('linear_key', 'lin_api_', /[A-Za-z0-9]{40}(?!\w)/),
  prefixed('groq_key', 'gsk_', /[A-Za-z0-9]{52}(?!\w)/),
  // Ours, of senders. Names of our metrics begin alike and have no capitals.
  prefixed('spanwarden_token', 'spanwarden_', /(?=[\w-]{0,42}[A-Z])[\w-]{43}(?![\w-])/),
  prefixed('telegram_token', ':AA', /[\w-]{33}(?![\w-])/, /\d{8,10}/),
  prefixed('twilio_key', 'SK', /[a-f0-9]{32}(?!\w)/),
  prefixed('age_key', 'AGE-SECRET-KEY-1', /[A-Z0-9]{58}(?!\w)/),
  prefixed('azure_storage_key', 'AccountKey=', /[A-Za-z0-9+/]{86}==/),
  { kind: 'private_key', hints: ['PRIVATE KEY-----'], pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----/ },
  { kind: 'jwt', hints: ['eyJ'], pattern: /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}/ },
  {
    kind: 'url_credentials',
    hints: ['://'],
    pattern: /(?<![\w+.-])[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{1,128}:[^\s/@"'<>]{6,128}@[\w.[\]-]{1,253}/,
    accepts: isRealUrlPassword,
  },
  {
    kind: 'password_assignment',
    hints: [
      'assw',
      'ASSW',
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
      /(?:password|passwd|secret|api_?key|access_?token|auth_?token)["']?\s{0,4}[:=]\s{0,4}["']?(?=[^\s"']{0,64}\d)(?=[^\s"']{0,64}[a-z])[^\s"'<>{}$()]{12,200}/i,
    accepts: (found) => isRandom(found, 2.5),
  },
  {
    kind: 'key_assignment',
    hints: ['key', 'Key', 'KEY', 'ecret', 'ECRET', 'oken', 'OKEN'],
    pattern:
      /(?:(?:secret|signing|encryption|api)[_-]?(?:access[_-]?)?key|client[_-]?secret|(?:auth|access|refresh|bearer)[_-]?token)["']?\s{0,4}[:=]\s{0,4}["']?(?=[\w+/=.-]{0,64}\d)(?=[\w+/=.-]{0,64}[A-Za-z])[\w+/=.-]{20,200}/i,
    accepts: (found) => isRandom(found, 3.5),
  },
];

function prefixed(kind: string, prefix: string, rest: RegExp, before?: RegExp): SecretFormat {
  const literal = prefix.replace(/[.]/g, '\\$&');
  return { kind, hints: [prefix], pattern: new RegExp(`(?<![\\w-])${before?.source ?? ''}${literal}${rest.source}`) };
}

function url(kind: string, hint: string, rest: RegExp): SecretFormat {
  return { kind, hints: [hint], pattern: new RegExp(`${hint.replace(/[./]/g, '\\$&')}${rest.source}`) };
}

/** Whether the value of an assignment looks made by a machine and is no word that stands for one. */
function isRandom(found: string, bitsMin: number): boolean {
  const value = found.slice(found.search(/[:=]/) + 1).replace(/^[\s"']+/, '');
  return entropy(value) >= bitsMin && !placeholder.test(value);
}

/** Words that stand for a secret, and what is stored in place of one. */
const placeholder =
  /^(?:(?:my|the|some|an?)(?![A-Za-z0-9])|your|test|dummy|fake|example|sample|placeholder|change|replace|redacted|insert|enter|process\.env|os\.|env\.|config\.|\*{3,}|x{4,})|example|placeholder|redacted|\.\.\.|^\[?(?:(?:secret|pii|content):)?[a-z0-9_]{1,40}:[0-9a-f]{16}\]/i;

function isRealUrlPassword(found: string): boolean {
  const [, user = '', password = '', host = ''] = /:\/\/([^:]*):([^@]*)@(.*)$/s.exec(found) ?? [];
  if (password === user || exampleHost.test(host) || /[${}]/.test(password)) return false;
  return (
    !/^(?:p(?:ass|%40ss|@ss|wd).*|secret|postgres|mysql|root|admin|guest|user|token|x+|\*+)$/i.test(password) &&
    !placeholder.test(password)
  );
}

const exampleHost = /^(?:localhost|127\.|\[::1|(?:[\w-]{1,63}\.){0,4}example\.(?:com|org|net)$)/;
