// The secretlint rules as a second opinion on key formats. Loaded on first use only: it costs 30 ms and 10 MB.
import type { SecretSpan } from './types.ts';

const PRESET = '@secretlint/secretlint-rule-preset-recommend';

/** Rules that do not look for secrets in notes. */
const DISABLED_RULES = [
  // Its comments switch other rules off: a text must not be able to excuse itself from being scanned.
  '@secretlint/secretlint-rule-filter-comments',
];
/** An account number is no secret; logins in addresses are judged here with better knowledge of placeholders. */
const IGNORED_MESSAGES = new Set(['AWSAccountID', 'AWSSecretAccessKey', 'BasicAuth']);

export type Scan = (text: string) => Promise<SecretSpan[]>;

let loading: Promise<Scan> | undefined;

/** The scanner; loaded once a process. */
export function loadSecretlint(): Promise<Scan> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Scan> {
  const [{ lintSource }, { creator }, { secretLintProfiler }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
    import('@secretlint/profiler'),
  ]);
  // It marks every rule of every text in the process's performance timeline, which is never emptied.
  secretLintProfiler.setEnabled(false);
  const rules = DISABLED_RULES.map((id) => ({ id, disabled: true }));
  const options = { noPhysicFilePath: true, config: { rules: [{ id: PRESET, rule: creator, rules }] } };
  return async (text) => {
    const source = { filePath: 'memory.txt', content: text, contentType: 'text' as const, ext: '.txt' };
    const { messages } = await lintSource({ source, options });
    return messages
      .filter((message) => message.type === 'message' && !IGNORED_MESSAGES.has(message.messageId))
      .map((message) => wholeToken(text, kindOf(message.ruleId), message.range[0], message.range[1]));
  };
}

/** `@secretlint/secretlint-rule-hashicorp-vault` becomes `hashicorp_vault`. */
function kindOf(ruleId: string): string {
  return ruleId.replace(/^.*secretlint-rule-/, '').replaceAll('-', '_');
}

/** Some rules report a range that ends inside the secret; nothing of it may stay. */
function wholeToken(text: string, kind: string, start: number, end: number): SecretSpan {
  const tail = /^[A-Za-z0-9_+/=~.-]*/.exec(text.slice(end, end + 4096))?.[0] ?? '';
  return { kind, start, end: end + tail.replace(/[.-]+$/, '').length };
}
