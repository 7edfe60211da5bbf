// Operational notes made from templates and word lists: about 200 characters, the same for the same seed on every machine.

/** A repeatable source of numbers in [0, 1): mulberry32 by Tommy Ettinger. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const LISTS = {
  area: 'checkout billing inventory session search ledger mail batch identity catalog telemetry webhook image quota report rollup notice vault edge cart pricing refund loyalty shipping parcel label customs driver fleet depot route meter invoice payout tax fraud risk consent privacy audit archive media thumbnail stream chat voice survey coupon gift wallet card token device sensor alarm ticket badge visitor roster payroll expense travel'.split(
    ' ',
  ),
  role: 'api gateway worker scheduler store exporter indexer cache proxy relay importer notifier resizer reconciler sweeper router collector agent broker mirror planner signer validator renderer crawler janitor writer loader balancer shipper'.split(
    ' ',
  ),
  engine:
    'postgres redis nginx kafka rabbitmq elasticsearch mongodb haproxy etcd envoy clickhouse minio consul prometheus grafana memcached traefik cassandra mysql vector'.split(
      ' ',
    ),
  part: 'connection pool|write-ahead log|replica|leader lease|certificate|consumer group|disk queue|page cache|health probe|retry loop|ingress rule|service account|cron trigger|memory limit|index rebuild|snapshot|shard|firewall rule|token bucket|DNS record'.split(
    '|',
  ),
  fault:
    'ran out of file descriptors|timed out after 30 s|returned 502 to every third request|was evicted under memory pressure|fell behind by 40 minutes|refused new connections|looped between two leaders|kept a stale lock|filled its volume|lost its route|answered with an expired chain|dropped packets above 1400 bytes|restarted every 7 minutes|held a transaction open overnight|rejected the rotated key|skipped a migration|doubled its latency|deadlocked on start'.split(
      '|',
    ),
  cause:
    'a default that changed between releases|an idle timeout shorter than its neighbour had|a log volume without rotation|a clock that drifted two minutes|a limit copied from the staging values|a node that came back with an old image|a health check that hit the database|an unbounded retry without jitter|a leaked goroutine in the client library|a missing index on the audit table|a proxy that buffered whole bodies|an autoscaler that looked at the wrong metric|a kernel setting lost at reboot|two jobs that shared one lock name'.split(
      '|',
    ),
  remedy:
    'raised the limit and added an alert at 80 percent|pinned the version and rolled the deployment|moved the job to 03:40 and gave it its own lock|shortened the keepalive below the upstream value|rebuilt the index concurrently|drained the node and replaced its disk|set the maximum transmission unit to 1380|rotated the certificate and restarted the listeners|replayed the queue from the last checkpoint|switched the probe to a path without dependencies|added a jittered backoff with five attempts|restored the snapshot and replayed the log|split the batch into pages of 500|moved the secret to the vault and reloaded'.split(
      '|',
    ),
  check:
    'the error rate was back to zero within ten minutes|the lag went below a second|the dashboard shows a flat line since|the canary stayed green for a day|nobody was paged again this week|the next deploy went through untouched|the backlog drained before noon|the p95 halved'.split(
      '|',
    ),
  zone: 'fra1 ams2 iad3 sfo4 sin1 gru2 syd1 lhr5'.split(' '),
  verb: 'Fixed Found Traced Noted Resolved Observed Reproduced Closed'.split(' '),
} as const;

const TEMPLATES: readonly string[] = [
  '{verb}: {service} on {host} {fault}; the {engine} {part} was the culprit. Cause: {cause}. We {remedy}, and {check}.',
  '{engine} {part} behind {service} ({ip}:{port}) {fault}. Root cause was {cause}. Remedy: {remedy}. After that {check}.',
  'Runbook {service}/{engine}: when the {part} on {host} {fault}, look for {cause} first. Last time we {remedy} and {check} (ticket {ticket}).',
  '{zone}: {service} {fault} at {hour}:{minute}. `{engine}ctl status {host}` showed the {part}. It was {cause}; {remedy}. Result: {check}.',
  'Decision for {service}: the {engine} {part} stays at {number} because of {cause}. In {zone} it {fault} before; we {remedy}.',
];

export interface Note {
  readonly content: string;
  readonly category: 'incidents' | 'runbooks' | 'infrastructure' | 'deployments' | 'monitoring';
  readonly tags: readonly string[];
  readonly project: string;
}

const CATEGORIES: readonly Note['category'][] = [
  'incidents',
  'runbooks',
  'infrastructure',
  'deployments',
  'monitoring',
];

/** Tags that keep a known share of the notes, spread evenly over them. */
export const SHARE_TAGS = { one_percent: 'shard-one', half: 'half-even' } as const;

/** Note number `index`. Numbers, not order, decide the text: any part of the series can be made alone. */
export function note(index: number, seed = 1): Note {
  const random = seeded(seed * 2_654_435_761 + index * 40_503 + 17);
  for (let i = 0; i < 3; i++) random();
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const chosen = new Map<string, string>();
  const value = (name: string): string => {
    const known = chosen.get(name);
    if (known !== undefined) return known;
    const made = Object.hasOwn(LISTS, name) ? pick(LISTS[name as keyof typeof LISTS]) : detail(name, random);
    chosen.set(name, made);
    return made;
  };
  const content = pick(TEMPLATES).replaceAll(/\{(\w+)\}/g, (_, name: string) => value(name));
  return {
    content,
    category: pick(CATEGORIES),
    tags: [value('service'), value('engine'), ...shareTags(index)],
    project: `team-${index % 20}`,
  };
}

function shareTags(index: number): string[] {
  const tags: string[] = [];
  if (index % 100 === 37) tags.push(SHARE_TAGS.one_percent);
  if (index % 2 === 0) tags.push(SHARE_TAGS.half);
  return tags;
}

function detail(name: string, random: () => number): string {
  const below = (limit: number): number => Math.floor(random() * limit);
  const padded = (value: number): string => String(value).padStart(2, '0');
  switch (name) {
    case 'service':
      return service(random);
    case 'host':
      return `${service(random)}-${LISTS.zone[below(LISTS.zone.length)]}-${padded(below(60))}`;
    case 'ip':
      return `10.${below(32)}.${below(256)}.${1 + below(254)}`;
    case 'port':
      return String(1024 + below(60_000));
    case 'ticket':
      return `OPS-${1000 + below(90_000)}`;
    case 'hour':
      return padded(below(24));
    case 'minute':
      return padded(below(60));
    default:
      return String(10 + below(4_000));
  }
}

/** Few services are written about often and most seldom: positions fall off as in Zipf's law. */
function service(random: () => number): string {
  const skewed = (list: readonly string[]): string => list[Math.floor(list.length ** random()) - 1] ?? '';
  return `${skewed(LISTS.area)}-${skewed(LISTS.role)}`;
}

/** A question about such notes: some words of one of them, in the way people ask; every number another question. */
export function question(index: number, seed = 7): string {
  const random = seeded(seed * 97_531 + index * 31_337 + 5);
  random();
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  const forms = [
    () =>
      `why did ${service(random)} ${pick(LISTS.fault).split(' ').slice(0, 5).join(' ')} in ${pick(LISTS.zone)} ${index}`,
    () => `${pick(LISTS.engine)} ${pick(LISTS.part)} ${pick(LISTS.cause).split(' ').slice(-3).join(' ')} ${index}`,
    () => `how was the ${pick(LISTS.part)} of ${service(random)} fixed, ${pick(LISTS.remedy).split(' ')[0]} ${index}`,
  ];
  return (forms[index % forms.length] as () => string)();
}

/** A text of about `tokens` tokens, for the embedding floor. */
export function longText(tokens: number): string {
  // Operational text has about 0.7 words a token.
  const words: string[] = [];
  for (let i = 0; words.length < tokens * 0.68; i++) words.push(...note(i, 99).content.split(' '));
  return words.slice(0, Math.round(tokens * 0.68)).join(' ');
}
