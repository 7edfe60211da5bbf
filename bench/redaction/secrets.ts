// Lines that hold a secret: key formats of vendors in the places people paste them, and secrets only the context shows.
import { ALNUM, BASE64, base64, base64url, DIGITS, HEX, LOWER, type Random, UPPER, URLSAFE, uuid } from './random.ts';

export interface LabelledLine {
  readonly label: string;
  readonly line: string;
  /** What must not survive; empty for a look-alike. */
  readonly secrets: readonly string[];
}

type Generator = (random: Random) => string;

const fixed =
  (prefix: string, alphabet: string, length: number): Generator =>
  (random) =>
    prefix + random.text(alphabet, length);

/** Formats that can be told by themselves. */
const FORMATS: Readonly<Record<string, Generator>> = {
  'AWS access key id': fixed('AKIA', `${UPPER}234567`, 16),
  'AWS temporary key id': fixed('ASIA', `${UPPER}234567`, 16),
  'GitHub classic token': fixed('ghp_', ALNUM, 36),
  'GitHub app token': fixed('ghs_', ALNUM, 36),
  'GitHub fine-grained token': (r) => `github_pat_${r.text(ALNUM, 22)}_${r.text(ALNUM, 59)}`,
  'GitLab personal token': fixed('glpat-', URLSAFE, 20),
  'GitLab runner token': fixed('glrt-', URLSAFE, 20),
  'Slack bot token': (r) => `xoxb-${r.text(DIGITS, 12)}-${r.text(DIGITS, 13)}-${r.text(ALNUM, 24)}`,
  'Slack user token': (r) =>
    `xoxp-${r.text(DIGITS, 12)}-${r.text(DIGITS, 12)}-${r.text(DIGITS, 13)}-${r.text(HEX, 32)}`,
  'Slack app token': (r) => `xapp-1-A${r.text(UPPER + DIGITS, 10)}-${r.text(DIGITS, 13)}-${r.text(HEX, 64)}`,
  'Slack webhook': (r) =>
    `https://hooks.slack.com/services/T${r.text(UPPER + DIGITS, 8)}/B${r.text(UPPER + DIGITS, 8)}/${r.text(ALNUM, 24)}`,
  'Stripe live key': fixed('sk_live_', ALNUM, 24),
  'Stripe restricted key': fixed('rk_live_', ALNUM, 99),
  'Stripe webhook secret': fixed('whsec_', ALNUM, 32),
  'OpenAI project key': (r) => `sk-proj-${r.text(URLSAFE, 74)}T3BlbkFJ${r.text(URLSAFE, 74)}`,
  'OpenAI legacy key': (r) => `sk-${r.text(ALNUM, 20)}T3BlbkFJ${r.text(ALNUM, 20)}`,
  'Anthropic key': (r) => `sk-ant-api03-${r.text(URLSAFE, 93)}AA`,
  'OpenRouter key': fixed('sk-or-v1-', HEX, 64),
  'Google API key': fixed('AIza', URLSAFE, 35),
  'Google OAuth secret': fixed('GOCSPX-', URLSAFE, 28),
  'Google OAuth token': fixed('ya29.', URLSAFE, 120),
  'Azure client secret': (r) => `${r.text(ALNUM, 3)}8Q~${r.text(ALNUM, 34)}`,
  'SendGrid key': (r) => `SG.${r.text(ALNUM, 22)}.${r.text(ALNUM, 43)}`,
  'Mailgun key': fixed('key-', HEX, 32),
  'Mailchimp key': (r) => `${r.text(HEX, 32)}-us${1 + r.int(20)}`,
  'Brevo key': (r) => `xkeysib-${r.text(HEX, 64)}-${r.text(ALNUM, 16)}`,
  'Twilio API key': fixed('SK', HEX, 32),
  'npm token': fixed('npm_', ALNUM, 36),
  'PyPI token': fixed('pypi-AgEIcHlwaS5vcmc', URLSAFE, 120),
  'RubyGems token': fixed('rubygems_', HEX, 48),
  'Docker Hub token': fixed('dckr_pat_', URLSAFE, 27),
  'DigitalOcean token': fixed('dop_v1_', HEX, 64),
  'Heroku key': fixed('HRKU-', URLSAFE, 60),
  'Vault service token': fixed('hvs.', URLSAFE, 95),
  'Terraform Cloud token': (r) => `${r.text(ALNUM, 14)}.atlasv1.${r.text(ALNUM, 67)}`,
  'Grafana service account token': (r) => `glsa_${r.text(ALNUM, 32)}_${r.text(HEX, 8)}`,
  'Grafana Cloud token': (r) => `glc_${base64(r, 90)}`,
  'New Relic key': fixed('NRAK-', UPPER + DIGITS, 27),
  'Sentry token': fixed('sntryu_', HEX, 64),
  'Dynatrace token': (r) => `dt0c01.${r.text(`${UPPER}234567`, 24)}.${r.text(`${UPPER}234567`, 64)}`,
  'Databricks token': fixed('dapi', HEX, 32),
  'Atlassian token': fixed('ATATT3xFfGF0', URLSAFE, 180),
  'Linear key': fixed('lin_api_', ALNUM, 40),
  'Notion token': (r) => `ntn_${r.text(DIGITS, 11)}${r.text(ALNUM, 35)}`,
  'Figma token': fixed('figd_', URLSAFE, 40),
  'Airtable token': (r) => `pat${r.text(ALNUM, 14)}.${r.text(HEX, 64)}`,
  'Shopify token': fixed('shpat_', HEX, 32),
  'Square token': fixed('sq0atp-', URLSAFE, 22),
  'Telegram bot token': (r) => `${r.text('123456789', 10)}:AA${r.text(URLSAFE, 33)}`,
  'Discord bot token': (r) => `M${r.text(ALNUM, 25)}.${r.text(ALNUM, 6)}.${r.text(ALNUM, 38)}`,
  'Hugging Face token': fixed('hf_', LOWER + UPPER, 34),
  'Replicate token': fixed('r8_', ALNUM, 37),
  'Groq key': fixed('gsk_', ALNUM, 52),
  'Supabase token': fixed('sbp_', HEX, 40),
  'PlanetScale password': fixed('pscale_pw_', ALNUM, 43),
  'Doppler token': fixed('dp.pt.', ALNUM, 43),
  'Tailscale key': (r) => `tskey-auth-${r.text(ALNUM, 12)}CNTRL-${r.text(ALNUM, 32)}`,
  'Postman key': (r) => `PMAK-${r.text(HEX, 24)}-${r.text(HEX, 34)}`,
  'Pulumi token': fixed('pul-', HEX, 40),
  'SonarQube token': fixed('squ_', HEX, 40),
  'CircleCI token': (r) => `CCIPAT_${r.text(ALNUM, 22)}_${r.text(HEX, 40)}`,
  'HubSpot token': (r) => `pat-na1-${uuid(r)}`,
  'age secret key': fixed('AGE-SECRET-KEY-1', 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58),
  'JSON web token': (r) =>
    `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(`{"sub":"${r.text(DIGITS, 8)}","role":"ops"}`)}.${r.text(URLSAFE, 43)}`,
  'RSA private key': (r) => pem(r, 'RSA PRIVATE KEY', 'MII'),
  'OpenSSH private key': (r) => pem(r, 'OPENSSH PRIVATE KEY', 'b3BlbnNzaC1rZXktdjE'),
};

function pem(random: Random, type: string, start: string): string {
  const body = Array.from(
    { length: 8 },
    (_, i) => (i === 0 ? start : '') + random.text(BASE64, 64 - (i === 0 ? start.length : 0)),
  );
  return `-----BEGIN ${type}-----\n${body.join('\n')}\n-----END ${type}-----`;
}

/** Where keys get pasted. */
const PLACES: readonly ((value: string) => string)[] = [
  (value) => `the key is ${value}, please rotate it tomorrow`,
  (value) => `export SERVICE_VALUE=${value}`,
  (value) => `{"setting": "${value}", "region": "eu-central-1"}`,
  (value) => `run: curl -H 'X-Custom: ${value}' https://api.example.org/v1/status`,
  (value) => `2025-11-18T09:01:44Z WARN client uses ${value} for staging`,
  (value) => `found in .env:\n${value}`,
];

const strong = (random: Random) =>
  `${random.pick(['Winter', 'Kestrel', 'Harbor', 'Copper'])}-${random.text(DIGITS, 4)}${random.pick(['!', '#', '$', '?x'])}`;
const random32: Generator = (random) => random.text(ALNUM, 32);
const hex40: Generator = (random) => random.text(HEX, 40);
const aws40: Generator = (random) => random.text(BASE64, 40);

/** Secrets that only their surroundings give away: what is generated, and the line it stands in. */
const CONTEXTS: readonly (readonly [label: string, generate: Generator, line: (value: string) => string])[] = [
  ['password in prose', strong, (v) => `the db password for the report job is ${v}`],
  ['password in prose, colon', strong, (v) => `admin password: ${v}`],
  ['password quoted', strong, (v) => `log in with password "${v}" on the jump host`],
  ['password changed', strong, (v) => `root password was changed to ${v} after the incident`],
  [
    'password short word and digits',
    (r) => `${r.text(LOWER, 6)}${r.text(DIGITS, 2)}`,
    (v) => `the wifi password is ${v}.`,
  ],
  [
    'passphrase',
    (r) => `${r.text(LOWER, 5)}-${r.text(LOWER, 6)}-${r.text(LOWER, 5)}-${r.text(LOWER, 7)}`,
    (v) => `the passphrase is ${v}`,
  ],
  ['environment password', strong, (v) => `DB_PASSWORD=${v}`],
  ['environment password, plain word', (r) => r.text(LOWER, 9), (v) => `PGPASSWORD=${v} psql -h db01 -U app`],
  ['yaml password', strong, (v) => `  password: ${v}`],
  ['yaml password quoted', random32, (v) => `mysql_root_password: "${v}"`],
  ['json password', strong, (v) => `{"user": "app", "password": "${v}", "port": 5432}`],
  ['php password', strong, (v) => `$config['db_password'] = '${v}';`],
  ['properties', strong, (v) => `spring.datasource.password=${v}`],
  ['ini', random32, (v) => `secret_key = ${v}`],
  ['toml', random32, (v) => `api_key = "${v}"`],
  ['xml', strong, (v) => `<password>${v}</password>`],
  ['container environment', strong, (v) => `- name: DB_PASSWORD\n  value: "${v}"`],
  ['no verb', (r) => `${r.text(LOWER, 4)}${r.text(DIGITS, 3)}!`, (v) => `log in as root with password ${v}`],
  [
    'bootstrap token',
    (r) => `${r.text(`${LOWER}${DIGITS}`, 6)}.${r.text(`${LOWER}${DIGITS}`, 16)}`,
    (v) => `kubeadm join 10.0.3.7:6443 --token ${v}`,
  ],
  ['token without verb', hex40, (v) => `twilio auth token ${v.slice(0, 32)}`],
  ['unseal key', (r) => `${r.text(BASE64, 43)}=`, (v) => `Unseal Key 1: ${v}`],
  ['container file', random32, (v) => `ENV API_TOKEN ${v}`],
  ['rails key', (r) => r.text(HEX, 128), (v) => `SECRET_KEY_BASE=${v}`],
  [
    'oracle address',
    (r) => `${r.text(LOWER, 5)}${r.text(DIGITS, 2)}`,
    (v) => `jdbc:oracle:thin:scott/${v}@db01:1521:XE`,
  ],
  [
    'license key',
    (r) => [1, 2, 3].map(() => r.text(UPPER + DIGITS, 5)).join('-'),
    (v) => `the license key ${v} is for two hosts`,
  ],
  ['camel case', random32, (v) => `const clientSecret = '${v}';`],
  ['hex api key', hex40, (v) => `DD_API_KEY=${v.slice(0, 32)}`],
  ['hex token', hex40, (v) => `token: ${v}`],
  ['uuid api key', uuid, (v) => `HEROKU_API_KEY=${v}`],
  ['header api key', random32, (v) => `X-API-Key: ${v}`],
  ['bearer', random32, (v) => `curl -H "Authorization: Bearer ${v}" https://api.example.org`],
  ['basic auth', (r) => Buffer.from(`admin:${strong(r)}`).toString('base64'), (v) => `Authorization: Basic ${v}`],
  ['AWS secret, environment', aws40, (v) => `AWS_SECRET_ACCESS_KEY=${v}`],
  ['AWS secret, credentials file', aws40, (v) => `aws_secret_access_key = ${v}`],
  ['AWS secret, json', aws40, (v) => `"SecretAccessKey": "${v}",`],
  ['AWS secret, prose', aws40, (v) => `the aws secret access key for the backup user is ${v}`],
  ['postgres url', strong, (v) => `postgresql://app:${v.replaceAll(/[#?$!]/g, '')}@db01.internal:5432/shop`],
  ['mysql url', random32, (v) => `mysql://root:${v}@127.0.0.1:3306/app`],
  ['redis url', random32, (v) => `REDIS_URL=redis://:${v}@cache-1:6379/0`],
  ['mongodb url', random32, (v) => `mongodb+srv://ops:${v}@cluster0.example.mongodb.net/prod`],
  ['amqp url', random32, (v) => `amqp://billing:${v}@rabbit-1:5672/%2f`],
  ['https login', random32, (v) => `git clone https://deploy:${v}@git.example.org/infra.git`],
  ['ado connection string', strong, (v) => `Server=sql01;Database=shop;User Id=app;Password=${v};Encrypt=true`],
  [
    'azure storage',
    (r) => `${r.text(BASE64, 86)}==`,
    (v) => `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${v};EndpointSuffix=core.windows.net`,
  ],
  [
    'sas signature',
    (r) => `${r.text(ALNUM, 42)}%3D`,
    (v) => `https://shop.blob.core.windows.net/b?sv=2024-01-01&se=2026-01-01&sig=${v}`,
  ],
  ['curl user', strong, (v) => `curl -u admin:${v} https://grafana.example.org/api/health`],
  ['flag', random32, (v) => `helm upgrade app --set-string x=1 --token ${v}`],
  ['flag with equals', strong, (v) => `mysqldump --password=${v} shop > dump.sql`],
  ['sshpass', strong, (v) => `sshpass -p '${v}' ssh root@10.0.3.7`],
  ['redis-cli', random32, (v) => `redis-cli -h cache-1 -a ${v} info`],
  ['netrc', strong, (v) => `machine git.example.org login deploy password ${v}`],
  ['npmrc', uuid, (v) => `//registry.example.org/:_authToken=${v}`],
  [
    'docker config',
    (r) => Buffer.from(`deploy:${random32(r)}`).toString('base64'),
    (v) => `"auths": {"registry.example.org": {"auth": "${v}"}}`,
  ],
  [
    'kubeconfig key',
    (r) => Buffer.from(`-----BEGIN RSA PRIVATE KEY-----\n${r.text(BASE64, 200)}`).toString('base64'),
    (v) => `    client-key-data: ${v}`,
  ],
  ['kubernetes secret', random32, (v) => `stringData:\n  token: ${v}`],
  ['cookie', random32, (v) => `Cookie: theme=dark; sessionid=${v}; lang=en`],
  ['credentials pair', strong, (v) => `credentials: admin / ${v}`],
  ['two lines', random32, (v) => `client id: 4711\nclient secret: ${v}`],
  ['high entropy, other name', (r) => `${r.text(ALNUM, 44)}`, (v) => `INGEST_GRANT=${v}`],
  [
    'private block',
    (r) => `${r.text(LOWER, 8)} ${r.text(LOWER, 6)}`,
    (v) => `notes <private>${v}</private> and the rest`,
  ],
];

/** Every format in two places, and every context. */
export function secretLines(random: Random): LabelledLine[] {
  const formats = Object.entries(FORMATS).flatMap(([label, generate], index) =>
    [0, 3].map((shift) => {
      const value = generate(random);
      const place = PLACES[(index + shift) % PLACES.length]!;
      return { label, line: place(value), secrets: [value] };
    }),
  );
  const contexts = CONTEXTS.map(([label, generate, line]) => {
    const value = generate(random);
    const text = line(value);
    // Some places change the value on the way in, as an address does not take every character.
    const stored = text.includes(value) ? value : value.replaceAll(/[#?$!]/g, '');
    return {
      label,
      line: text,
      secrets: [stored.slice(0, label === 'hex api key' || label === 'token without verb' ? 32 : undefined)],
    };
  });
  return [...formats, ...contexts];
}
