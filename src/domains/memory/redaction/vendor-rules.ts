// Key formats that their vendors made recognisable by a fixed beginning. Sources: the vendors' own documentation of their
// token formats. A rule is tried only where its hint occurs, so that a hundred of them cost next to nothing.

export interface VendorRule {
  readonly kind: string;
  /** Literal beginnings, one of which every match contains. */
  readonly hints: readonly string[];
  /** Matches the secret; a group `value` narrows it. */
  readonly pattern: RegExp;
}

/** `body` behind a boundary on both sides: not inside a longer word. */
function rule(kind: string, hints: readonly string[], body: string): VendorRule {
  return { kind, hints, pattern: new RegExp(`(?<![A-Za-z0-9])(?:${body})(?![A-Za-z0-9])`, 'gd') };
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

const CLOUD: readonly VendorRule[] = [
  rule('aws_access_key_id', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}'),
  rule('google_api_key', ['AIza'], 'AIza[0-9A-Za-z_-]{35}'),
  rule('google_oauth_secret', ['GOCSPX-'], 'GOCSPX-[A-Za-z0-9_-]{24,32}'),
  rule('google_oauth_token', ['ya29.'], String.raw`ya29\.[A-Za-z0-9_-]{20,}`),
  rule('google_refresh_token', ['1//0'], '1//0[A-Za-z0-9_-]{30,}'),
  rule('azure_client_secret', ['Q~'], String.raw`[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}`),
  rule('digitalocean_token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], 'do[opr]_v1_[a-f0-9]{64}'),
  rule('alibaba_access_key_id', ['LTAI'], 'LTAI[A-Za-z0-9]{16,24}'),
  rule('tencent_secret_id', ['AKID'], 'AKID[A-Za-z0-9]{32}'),
  rule('cloudflare_token', ['cfut_', 'cfat_', 'cfk_'], '(?:cfut|cfat|cfk)_[A-Za-z0-9]{40,60}'),
  rule('cloudflare_origin_ca_key', ['v1.0-'], String.raw`v1\.0-[a-f0-9]{24}-[a-f0-9]{146}`),
  rule('heroku_api_key', ['HRKU-'], 'HRKU-[A-Za-z0-9_-]{30,}'),
  rule('fly_token', ['fo1_', 'fm2_', 'fm1r_'], '(?:fo1_[A-Za-z0-9_-]{40,}|fm(?:2|1r)_[A-Za-z0-9+/=_-]{40,})'),
  rule('vercel_token', ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'], 'vc[piark]_[A-Za-z0-9]{20,60}'),
  rule('netlify_token', ['nfp_'], 'nfp_[A-Za-z0-9]{36,40}'),
  rule('render_api_key', ['rnd_'], 'rnd_[A-Za-z0-9]{28,40}'),
  rule('yandex_api_key', ['AQVN'], 'AQVN[A-Za-z0-9_-]{35,38}'),
];

const CODE: readonly VendorRule[] = [
  rule('github_token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], 'gh[pousr]_[A-Za-z0-9]{36,255}'),
  rule('github_token', ['github_pat_'], 'github_pat_[A-Za-z0-9_]{22,255}'),
  rule(
    'gitlab_token',
    ['glpat-', 'glptt-', 'gldt-', 'glrt-', 'glcbt-', 'glft-', 'glimt-', 'glagent-', 'glsoat-', 'gloas-', 'glwt-'],
    'gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|oas|wt)-[A-Za-z0-9_.=-]{20,300}',
  ),
  rule('bitbucket_app_password', ['ATBB'], 'ATBB[A-Za-z0-9]{32}'),
  rule('atlassian_api_token', ['ATATT3x', 'ATCTT3x'], 'AT[AC]TT3x[A-Za-z0-9_=-]{50,250}'),
  rule('npm_token', ['npm_'], 'npm_[A-Za-z0-9]{36}'),
  rule('pypi_token', ['pypi-AgE'], 'pypi-AgE[A-Za-z0-9_-]{50,}'),
  rule('rubygems_token', ['rubygems_'], 'rubygems_[a-f0-9]{48}'),
  rule('nuget_api_key', ['oy2'], 'oy2[a-z0-9]{43}'),
  rule('docker_token', ['dckr_pat_', 'dckr_oat_'], 'dckr_[po]at_[A-Za-z0-9_-]{24,}'),
  rule('jfrog_token', ['AKCp', 'cmVmdGtu'], '(?:AKCp[A-Za-z0-9]{60,80}|cmVmdGtu[A-Za-z0-9]{50,80})'),
  rule('sonarqube_token', ['squ_', 'sqp_', 'sqa_'], 'sq[upa]_[a-f0-9]{40}'),
  rule('buildkite_token', ['bkua_', 'bkat_'], 'bk[ua][at]_[a-f0-9]{40}'),
  rule('circleci_token', ['CCIPAT_', 'CCIPRJ_'], 'CCIP(?:AT|RJ)_[A-Za-z0-9_]{20,}'),
  rule('terraform_cloud_token', ['.atlasv1.'], String.raw`[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}`),
  rule('pulumi_token', ['pul-'], 'pul-[a-f0-9]{40}'),
  rule('postman_api_key', ['PMAK-'], 'PMAK-[a-f0-9]{24}-[a-f0-9]{34}'),
  rule('sourcegraph_token', ['sgp_'], 'sgp_(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}'),
  rule('prefect_api_key', ['pnu_', 'pnb_'], 'pn[ub]_[A-Za-z0-9]{36}'),
  rule('clojars_token', ['CLOJARS_'], 'CLOJARS_[a-z0-9]{60}'),
];

const AI: readonly VendorRule[] = [
  rule('anthropic_api_key', ['sk-ant-'], 'sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{20,}'),
  rule('openrouter_api_key', ['sk-or-'], 'sk-or-v1-[a-f0-9]{64}'),
  rule('openai_api_key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-'], 'sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}'),
  rule('api_key', ['sk-'], String.raw`sk-(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{32,64}`),
  rule('huggingface_token', ['hf_'], 'hf_[A-Za-z0-9]{34,40}'),
  rule('replicate_token', ['r8_'], 'r8_[A-Za-z0-9]{37,40}'),
  rule('groq_api_key', ['gsk_'], 'gsk_[A-Za-z0-9]{48,56}'),
  rule('xai_api_key', ['xai-'], 'xai-[A-Za-z0-9]{70,90}'),
  rule('perplexity_api_key', ['pplx-'], 'pplx-[A-Za-z0-9]{40,60}'),
  rule('pinecone_api_key', ['pcsk_'], 'pcsk_[A-Za-z0-9_]{50,80}'),
  rule('langsmith_api_key', ['lsv2_'], 'lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}'),
  rule('together_api_key', ['tgp_v1_'], 'tgp_v1_[A-Za-z0-9_-]{40,50}'),
  rule('elevenlabs_api_key', ['sk_'], 'sk_[a-f0-9]{48}'),
  rule('tavily_api_key', ['tvly-'], 'tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,40}'),
];

const OPERATIONS: readonly VendorRule[] = [
  rule('grafana_token', ['glsa_'], 'glsa_[A-Za-z0-9]{20,40}_[A-Fa-f0-9]{8}'),
  rule('grafana_token', ['glc_', 'eyJrIjoi'], '(?:glc_|eyJrIjoi)[A-Za-z0-9+/]{32,400}={0,2}'),
  rule('new_relic_key', ['NRAK-', 'NRII-'], 'NR(?:AK|II)-[A-Za-z0-9_-]{27,40}'),
  rule('sentry_token', ['sntrys_', 'sntryu_'], 'sntry[su]_[A-Za-z0-9+/=_-]{40,}'),
  rule('dynatrace_token', ['dt0'], String.raw`dt0[a-zA-Z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}`),
  rule('vault_token', ['hvs.', 'hvb.', 'hvr.'], String.raw`hv[sbr]\.[A-Za-z0-9_-]{20,300}`),
  rule('vault_token', ['s.'], String.raw`s\.(?=[A-Za-z]*\d)(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{24}`),
  rule('doppler_token', ['dp.'], String.raw`dp\.(?:pt|ct|sa|scim|audit|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44}`),
  rule('tailscale_key', ['tskey-'], 'tskey-[a-z]{2,20}-[A-Za-z0-9_]{8,40}-[A-Za-z0-9_]{16,60}'),
  rule('onepassword_token', ['ops_eyJ'], 'ops_eyJ[A-Za-z0-9+/=_-]{80,}'),
  rule('kubernetes_bootstrap_token', ['token'], String.raw`(?<=token[ =:"']{1,3})[a-z0-9]{6}\.[a-z0-9]{16}`),
  rule('age_secret_key', ['AGE-SECRET-KEY-1'], 'AGE-SECRET-KEY-1[A-Z0-9]{58}'),
  rule('databricks_token', ['dapi'], 'dapi[a-f0-9]{32}(?:-\\d)?'),
  rule('supabase_token', ['sbp_', 'sb_secret_'], '(?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,50})'),
  rule('planetscale_token', ['pscale_'], 'pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}'),
  rule('neon_api_key', ['napi_'], 'napi_[a-z0-9]{40,80}'),
  rule('okta_token', ['SSWS '], '(?<=SSWS )00[A-Za-z0-9_-]{40}'),
];

const SERVICES: readonly VendorRule[] = [
  rule('slack_token', ['xox', 'xapp-'], String.raw`(?:xox[abeoprs](?:\.xox[bp])?|xapp)-[A-Za-z0-9-]{10,250}`),
  rule(
    'slack_webhook',
    ['hooks.slack.com'],
    String.raw`hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,}`,
  ),
  rule(
    'discord_webhook',
    ['/api/webhooks/'],
    String.raw`discord(?:app)?\.com/api/webhooks/\d{16,20}/[A-Za-z0-9_-]{40,}`,
  ),
  rule('discord_bot_token', ['.'], String.raw`[MNO][A-Za-z\d]{23,27}\.[\w-]{6}\.[\w-]{27,40}`),
  rule(
    'teams_webhook',
    ['webhook.office.com'],
    String.raw`[a-z0-9-]+\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{60,}`,
  ),
  rule('telegram_bot_token', [':AA'], String.raw`(?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{32,34}`),
  rule('stripe_key', ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], '[rs]k_(?:live|test)_[A-Za-z0-9]{16,110}'),
  rule('webhook_secret', ['whsec_'], 'whsec_[A-Za-z0-9+/=]{24,80}'),
  rule('shopify_token', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], 'shp(?:at|ca|pa|ss)_[A-Za-z0-9]{32,64}'),
  rule('square_token', ['sq0atp-', 'sq0csp-', 'EAAA'], '(?:sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}|EAAA[A-Za-z0-9_-]{60})'),
  rule(
    'paypal_braintree_token',
    ['access_token$'],
    String.raw`access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}`,
  ),
  rule('plaid_token', ['access-'], `access-(?:sandbox|development|production)-${UUID}`),
  rule('flutterwave_key', ['FLWSECK'], 'FLWSECK(?:_TEST)?-[A-Za-z0-9]{32,40}(?:-X)?'),
  rule('sendgrid_api_key', ['SG.'], String.raw`SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}`),
  rule('mailgun_api_key', ['key-'], 'key-[a-f0-9]{32}'),
  rule('mailchimp_api_key', ['-us'], String.raw`[a-f0-9]{32}-us\d{1,2}`),
  rule('brevo_api_key', ['xkeysib-'], 'xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}'),
  rule('twilio_api_key', ['SK'], 'SK[0-9a-f]{32}'),
  rule('facebook_token', ['EAA'], 'EAA[A-Za-z0-9]{80,}'),
  rule(
    'twitter_bearer_token',
    ['AAAAAAAAAAAAAAAAAAAA'],
    'AAAAAAAAAAAAAAAAAAAA[A-Za-z0-9]{5,60}(?:%[0-9A-F]{2}[A-Za-z0-9]{0,80}){1,8}',
  ),
  rule('hubspot_token', ['pat-na', 'pat-eu'], `pat-(?:na|eu)\\d-${UUID}`),
  rule('linear_api_key', ['lin_api_', 'lin_oauth_'], 'lin_(?:api|oauth)_[A-Za-z0-9]{32,128}'),
  rule('notion_token', ['ntn_', 'secret_'], '(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})'),
  rule('airtable_token', ['pat'], String.raw`pat[A-Za-z0-9]{14}\.[a-f0-9]{64}`),
  rule('asana_token', ['/1'], String.raw`[12]/\d{16}(?:/\d{16})?:[a-f0-9]{32}`),
  rule('clickup_token', ['pk_'], String.raw`pk_\d{6,10}_[A-Z0-9]{32}`),
  rule('figma_token', ['figd_'], 'figd_[A-Za-z0-9_-]{40,200}'),
  rule('mapbox_secret_token', ['sk.eyJ'], String.raw`sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}`),
  rule('contentful_token', ['CFPAT-'], 'CFPAT-[A-Za-z0-9_-]{43}'),
  rule('typeform_token', ['tfp_'], 'tfp_[A-Za-z0-9_-]{40,60}'),
  rule('easypost_key', ['EZAK', 'EZTK'], 'EZ[AT]K[A-Za-z0-9]{54}'),
  rule('readme_api_key', ['rdme_'], 'rdme_[a-z0-9]{70}'),
  rule('adafruit_key', ['aio_'], String.raw`aio_[A-Za-z]{4}\d{2}[A-Za-z0-9]{22}`),
];

/** Private keys in PEM armour or as base64 of it, also where the end is missing, and signed web tokens. */
const STRUCTURES: readonly VendorRule[] = [
  {
    kind: 'private_key',
    hints: ['PRIVATE KEY'],
    pattern:
      /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----BEGIN)[\s\S])*?(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|(?=-----BEGIN)|$)/dg,
  },
  {
    kind: 'private_key',
    hints: ['LS0tLS1CRUdJTi'],
    pattern:
      /LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFURSBLRV|BQUklWQVRFIEtFW|BFQyBQUklWQVRFIEtFW|BPUEVOU1NIIFBSSVZBVEUgS0VZ|BFTkNSWVBURUQgUFJJVkFURSBLRV)[A-Za-z0-9+/=]*/dg,
  },
  rule('jwt', ['eyJ'], String.raw`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{10,}`),
];

export const VENDOR_RULES: readonly VendorRule[] = [
  ...STRUCTURES,
  ...CLOUD,
  ...CODE,
  ...AI,
  ...OPERATIONS,
  ...SERVICES,
];
