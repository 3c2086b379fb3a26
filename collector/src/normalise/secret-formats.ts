import { hasTokenChecksum } from './checksums.ts';
import { secretContexts } from './secret-contexts.ts';
import type { SecretFormat } from './secret-format.ts';

/**
 * Formats that carry their own proof: fixed prefixes and lengths as the issuers document them; then what only its context tells.
 * Each pattern is linear: bounded repetitions of disjoint classes, no nested quantifiers.
 */
export const secretFormats: readonly SecretFormat[] = [
  { kind: 'aws_access_key', hints: ['AKIA', 'ASIA'], pattern: /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/ },
  {
    kind: 'aws_session_token',
    hints: ['IQoJb3JpZ2lu', 'FwoGZXIvYXdz'],
    pattern: /(?<![A-Za-z0-9+/])(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/=]{80,2000}/,
  },
  {
    kind: 'github_token',
    hints: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,90})/,
    checksum: (found) => found.startsWith('github_pat_') || hasTokenChecksum(found),
  },
  {
    kind: 'gitlab_token',
    hints: ['glpat-', 'glptt-', 'gldt-', 'glrt-', 'glcbt-', 'glft-', 'glsoat-', 'glagent-'],
    pattern: /(?<![\w-])gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent)-[\w-]{20,64}/,
  },
  prefixed('slack_token', 'xox', /[abeoprs]-[A-Za-z0-9-]{10,250}/),
  prefixed('slack_app_token', 'xapp-', /\d-[A-Z0-9]{6,20}-\d{8,20}-[a-f0-9]{32,80}(?!\w)/),
  // No slash in these hints: in JSON it may be escaped.
  url('slack_webhook', 'hooks.slack.com', /\/services\/T\w{6,20}\/B\w{6,20}\/\w{16,40}/),
  url('discord_webhook', 'webhooks', /(?<=\/api\/webhooks)\/\d{16,20}\/[\w-]{50,80}/),
  {
    kind: 'stripe_key',
    // Without the first letter, as every other word of English begins with both of them.
    hints: ['_live_', '_test_', 'hsec_'],
    pattern: /(?<!\w)(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/=]{24,80})/,
  },
  {
    kind: 'openai_key',
    hints: ['sk-'],
    pattern: /(?<![\w-])sk-(?!ant-)(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,250}/,
  },
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
  {
    kind: 'digitalocean_token',
    hints: ['dop_v1_', 'doo_v1_', 'dor_v1_'],
    pattern: /(?<![\w-])do[opr]_v1_[a-f0-9]{64}(?!\w)/,
  },
  prefixed('sendgrid_key', 'SG.', /[\w-]{22}\.[\w-]{43}(?![\w-])/),
  prefixed('shopify_token', 'shp', /(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?!\w)/),
  prefixed('databricks_token', 'dapi', /[a-f0-9]{32}(?:-\d)?(?!\w)/),
  { kind: 'vault_token', hints: ['hvs.', 'hvb.', 'hvr.'], pattern: /(?<![\w-])hv[sbr]\.[\w-]{24,300}/ },
  prefixed('postman_key', 'PMAK-', /[a-f0-9]{24}-[a-f0-9]{34}(?!\w)/),
  prefixed('linear_key', 'lin_api_', /[A-Za-z0-9]{40}(?!\w)/),
  prefixed('groq_key', 'gsk_', /[A-Za-z0-9]{52}(?!\w)/),
  // Ours, of senders. Names of our metrics begin alike and have no capitals.
  prefixed('spanwarden_token', 'spanwarden_', /(?=[\w-]{0,42}[A-Z])[\w-]{43}(?![\w-])/),
  prefixed('telegram_token', ':AA', /[\w-]{33}(?![\w-])/, /\d{8,10}/),
  prefixed('twilio_key', 'SK', /[a-f0-9]{32}(?!\w)/),
  prefixed('age_key', 'AGE-SECRET-KEY-1', /[A-Z0-9]{58}(?!\w)/),
  prefixed('azure_storage_key', 'AccountKey=', /[A-Za-z0-9+/]{86}==/),
  prefixed('azure_shared_key', 'SharedAccessKey=', /[A-Za-z0-9+/]{43}=/),
  {
    kind: 'azure_sas',
    hints: ['sig='],
    pattern: /(?<![\w-])sig=[A-Za-z0-9%+/]{43,80}(?:%3D|=)/i,
    secretAt: behindSign,
  },
  { kind: 'azure_client_secret', hints: ['Q~'], pattern: /(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~-])/ },
  prefixed('docker_token', 'dckr_', /[po]at_[\w-]{27,60}/),
  prefixed('atlassian_token', 'ATATT3', /[\w=-]{100,300}/),
  prefixed('bitbucket_token', 'ATBB', /[A-Za-z0-9]{32}(?!\w)/),
  prefixed('replicate_token', 'r8_', /[A-Za-z0-9]{37}(?!\w)/),
  prefixed('perplexity_key', 'pplx-', /[A-Za-z0-9]{40,64}(?!\w)/),
  prefixed('xai_key', 'xai-', /[A-Za-z0-9]{60,90}(?!\w)/),
  prefixed('nvidia_key', 'nvapi-', /[\w-]{60,70}/),
  prefixed('tavily_key', 'tvly-', /[A-Za-z0-9-]{24,60}/),
  prefixed('langsmith_key', 'lsv2_', /(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}(?!\w)/),
  prefixed('pinecone_key', 'pcsk_', /\w{40,90}/),
  {
    kind: 'notion_token',
    hints: ['ntn_', 'secret_'],
    pattern: /(?<![\w-])(?:ntn_[A-Za-z0-9]{40,64}|secret_[A-Za-z0-9]{43})(?!\w)/,
  },
  prefixed('figma_token', 'figd_', /[\w-]{36,64}/),
  prefixed('sentry_token', 'sntry', /[su]_[\w+/=-]{40,400}/),
  prefixed('new_relic_key', 'NRAK-', /[A-Z0-9]{27}(?!\w)/),
  prefixed('grafana_token', 'glsa_', /[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}(?!\w)/),
  prefixed('grafana_cloud_token', 'glc_', /eyJ[A-Za-z0-9+/=]{30,400}/),
  prefixed('dynatrace_token', 'dt0c01.', /[A-Z0-9]{24}\.[A-Z0-9]{64}(?!\w)/),
  prefixed('terraform_token', '.atlasv1.', /[\w=-]{60,70}/, /[A-Za-z0-9]{14}/),
  prefixed('pulumi_token', 'pul-', /[a-f0-9]{40}(?!\w)/),
  { kind: 'doppler_token', hints: ['dp.'], pattern: /(?<![\w-])dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.]{40,80}/ },
  prefixed('planetscale_token', 'pscale_', /(?:tkn|oauth|pw)_[\w=.-]{32,64}/),
  prefixed('supabase_token', 'sbp_', /[a-f0-9]{40}(?!\w)/),
  prefixed('tailscale_key', 'tskey-', /(?:auth|api|client|webhook)-[\w-]{20,100}/),
  prefixed('netlify_token', 'nfp_', /[A-Za-z0-9]{36}(?!\w)/),
  prefixed('heroku_key', 'HRKU-AA', /[\w-]{58}/),
  prefixed('square_token', 'sq0', /(?:atp|csp)-[\w-]{22,60}/),
  prefixed('brevo_key', 'xkeysib-', /[a-f0-9]{64}-[A-Za-z0-9]{16}(?!\w)/),
  prefixed('rubygems_key', 'rubygems_', /[a-f0-9]{48}(?!\w)/),
  prefixed('nuget_key', 'oy2', /[a-z0-9]{43}(?!\w)/),
  prefixed('clojars_token', 'CLOJARS_', /[a-z0-9]{60}(?!\w)/),
  prefixed('onepassword_token', 'ops_', /eyJ[A-Za-z0-9+/]{100,1000}={0,3}/),
  {
    kind: 'private_key',
    hints: ['PRIVATE', 'Private-Lines'],
    pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----|(?<!\w)Private-Lines: ?\d{1,3}(?!\d)/,
  },
  { kind: 'jwt', hints: ['eyJ'], pattern: /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}/ },
  ...secretContexts,
];

function prefixed(kind: string, prefix: string, rest: RegExp, before?: RegExp): SecretFormat {
  const literal = prefix.replace(/[.]/g, '\\$&');
  return { kind, hints: [prefix], pattern: new RegExp(`(?<![\\w-])${before?.source ?? ''}${literal}${rest.source}`) };
}

function url(kind: string, hint: string, rest: RegExp): SecretFormat {
  return { kind, hints: [hint], pattern: new RegExp(`${hint.replace(/[./]/g, '\\$&')}${rest.source}`) };
}

function behindSign(found: string): number {
  return found.indexOf('=') + 1;
}
