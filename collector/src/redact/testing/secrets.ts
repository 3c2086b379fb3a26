/** A made-up secret: what stands in the text, and the part of it that must not stay. */
export interface Sample {
  readonly text: string;
  readonly value: string;
}

/**
 * Secrets of every kind that is told apart, different for different seeds. Made of parts, so that scanners of this repository do
 * not take them for real.
 */
export const secrets: Readonly<Record<string, (seed: number) => Sample>> = {
  aws_access_key: whole('AKIA', upper, 16),
  github_token: whole('ghp_', mixed, 36),
  gitlab_token: whole('glpat-', mixed, 20),
  aws_session_token: whole('IQoJb3JpZ2lu', mixed, 120),
  slack_token: whole('xoxb-', mixed, 40),
  slack_app_token: (seed) => alone(`xapp-1-A0${upper(seed, 9)}-${digits(seed, 13)}-${hex(seed, 64)}`),
  slack_webhook: (seed) =>
    alone(
      `https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/${mixed(seed, 24)}`,
      `T0AB12CD3/B0AB12CD3/${mixed(seed, 24)}`,
    ),
  discord_webhook: (seed) =>
    alone(`https://discord.com/api/webhooks/${digits(seed, 18)}/${mixed(seed, 68)}`, `${mixed(seed, 68)}`),
  stripe_key: whole('sk_live_', mixed, 24),
  openai_key: whole('sk-proj-', mixed, 48),
  anthropic_key: whole('sk-ant-', mixed, 60),
  google_api_key: whole('AIza', mixed, 35),
  google_oauth: whole('GOCSPX-', mixed, 28),
  npm_token: whole('npm_', mixed, 36),
  pypi_token: whole('pypi-AgE', mixed, 60),
  huggingface_token: whole('hf_', letters, 34),
  digitalocean_token: whole('dop_v1_', hex, 64),
  sendgrid_key: (seed) => alone(`SG.${mixed(seed, 22)}.${mixed(seed + 1, 43)}`),
  shopify_token: whole('shpat_', hex, 32),
  databricks_token: whole('dapi', hex, 32),
  vault_token: whole('hvs.', mixed, 30),
  postman_key: (seed) => alone(`PMAK-${hex(seed, 24)}-${hex(seed + 1, 34)}`),
  linear_key: whole('lin_api_', mixed, 40),
  groq_key: whole('gsk_', mixed, 52),
  spanwarden_token: whole('spanwarden_', mixed, 43),
  telegram_token: (seed) => alone(`${digits(seed, 9)}:AA${mixed(seed, 33)}`),
  twilio_key: whole('SK', hex, 32),
  age_key: whole('AGE-SECRET-KEY-1', upper, 58),
  azure_storage_key: (seed) => alone(`AccountKey=${mixed(seed, 86)}==`, `${mixed(seed, 86)}==`),
  azure_shared_key: (seed) => alone(`SharedAccessKey=${mixed(seed, 43)}=`, `${mixed(seed, 43)}=`),
  azure_sas: (seed) => alone(`sv=2022-11-02&sig=${mixed(seed, 43)}%3D`, mixed(seed, 43)),
  azure_client_secret: (seed) => alone(`a7K8Q~${mixed(seed, 34)}`),
  docker_token: whole('dckr_pat_', mixed, 27),
  atlassian_token: whole('ATATT3', mixed, 186),
  bitbucket_token: whole('ATBB', mixed, 32),
  replicate_token: whole('r8_', mixed, 37),
  perplexity_key: whole('pplx-', mixed, 48),
  xai_key: whole('xai-', mixed, 80),
  nvidia_key: whole('nvapi-', mixed, 64),
  tavily_key: whole('tvly-', mixed, 32),
  langsmith_key: (seed) => alone(`lsv2_pt_${hex(seed, 32)}_${hex(seed + 1, 10)}`),
  pinecone_key: whole('pcsk_', mixed, 60),
  notion_token: whole('ntn_', mixed, 46),
  figma_token: whole('figd_', mixed, 40),
  sentry_token: whole('sntrys_', mixed, 80),
  new_relic_key: whole('NRAK-', upper, 27),
  grafana_token: (seed) => alone(`glsa_${mixed(seed, 32)}_${hex(seed, 8)}`),
  grafana_cloud_token: whole('glc_eyJ', mixed, 80),
  dynatrace_token: (seed) => alone(`dt0c01.${upper(seed, 24)}.${upper(seed + 1, 64)}`),
  terraform_token: (seed) => alone(`${mixed(seed, 14)}.atlasv1.${mixed(seed + 1, 67)}`),
  pulumi_token: whole('pul-', hex, 40),
  doppler_token: whole('dp.pt.', mixed, 43),
  planetscale_token: whole('pscale_tkn_', mixed, 43),
  supabase_token: whole('sbp_', hex, 40),
  tailscale_key: whole('tskey-auth-', mixed, 40),
  netlify_token: whole('nfp_', mixed, 36),
  heroku_key: whole('HRKU-AA', mixed, 58),
  square_token: whole('sq0csp-', mixed, 43),
  brevo_key: (seed) => alone(`xkeysib-${hex(seed, 64)}-${mixed(seed, 16)}`),
  rubygems_key: whole('rubygems_', hex, 48),
  nuget_key: (seed) => alone(`oy2${mixed(seed, 43).toLowerCase()}`),
  clojars_token: (seed) => alone(`CLOJARS_${mixed(seed, 60).toLowerCase()}`),
  onepassword_token: whole('ops_eyJ', mixed, 200),
  private_key: (seed) => {
    const body = Array.from({ length: 4 }, (_, line) => mixed(seed + line, 64)).join('\n');
    const value = `-----BEGIN RSA ${'PRIVATE KEY-----'}\n${body}\n${'-----END RSA'} PRIVATE KEY-----`;
    return { text: value, value };
  },
  jwt: (seed) => alone(`eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${mixed(seed, 20)}.${mixed(seed + 1, 43)}`),
  url_credentials: (seed) => alone(`postgres://shop:${mixed(seed, 14)}@db.example/orders`, mixed(seed, 14)),
  authorization: (seed) => alone(`Authorization: Bearer ${mixed(seed, 32)}`, mixed(seed, 32)),
  cookie: (seed) => alone(`Cookie: lang=en; session=${mixed(seed, 32)}`, mixed(seed, 32)),
  command_password: (seed) => alone(`curl -u shop:${mixed(seed, 14)} https://x.example`, mixed(seed, 14)),
  password_assignment: (seed) => alone(`password = "${mixed(seed, 18)}"`, mixed(seed, 18)),
  key_assignment: (seed) => alone(`client_secret: '${mixed(seed, 24)}'`, mixed(seed, 24)),
};

/** Personal data of each kind. */
export const personal: Readonly<Record<string, string>> = {
  email: 'ann@example.com',
  payment_card: '4111 1111 1111 1111',
  iban: 'DE89 3704 0044 0532 0130 00',
  us_ssn: '078-05-1120',
  br_cpf: '529.982.247-25',
  fr_nir: '1 85 05 78 006 084 91',
  es_dni: '12345678Z',
  uk_nino: 'AB 12 34 56 C',
  phone: '+44 20 7946 0958',
};

function alone(text: string, value = text): Sample {
  return { text, value };
}

function whole(prefix: string, make: (seed: number, length: number) => string, length: number) {
  return (seed: number): Sample => alone(prefix + make(seed, length));
}

function made(alphabet: string, seed: number, length: number): string {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  let text = '';
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += alphabet[(state >>> 16) % alphabet.length];
  }
  return text;
}

const lower = 'abcdefghijklmnopqrstuvwxyz';

/** Letters and digits, of each some in the first characters. */
function mixed(seed: number, length: number): string {
  return `a7Kq${made(`${lower}${lower.toUpperCase()}0123456789`, seed, length - 4)}`;
}

function upper(seed: number, length: number): string {
  return made(`${lower.toUpperCase()}234567`, seed, length);
}

function letters(seed: number, length: number): string {
  return made(lower + lower.toUpperCase(), seed, length);
}

function hex(seed: number, length: number): string {
  return made('0123456789abcdef', seed, length);
}

function digits(seed: number, length: number): string {
  return `1${made('0123456789', seed, length - 1)}`;
}
