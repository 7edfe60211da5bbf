// Redaction: what is replaced, what is left alone, and that nothing of a secret survives anywhere.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALNUM, BASE64, HEX, seededRandom } from '../../../../bench/redaction/random.ts';
import { scoreRedaction } from '../../../../bench/redaction/run.ts';
import { redactSecrets } from './index.ts';

const random = seededRandom(20_260_101);
const kinds = async (text: string) => (await redactSecrets(text)).findings.map(({ kind }) => kind);

describe('labelled lines', () => {
  it.each([11, 12, 13])('reaches recall and precision of .95 with seed %i', async (seed) => {
    const score = await scoreRedaction(seed);
    expect(score.lines).toBeGreaterThanOrEqual(150);
    expect(score.recall, score.missed.join()).toBeGreaterThanOrEqual(0.95);
    expect(score.precision, score.wrong.join()).toBeGreaterThanOrEqual(0.95);
  });
});

describe('redactSecrets', () => {
  it('says kind and place, and puts a marker where the value was', async () => {
    const secret = random.text(BASE64, 40);
    const text = `AWS_SECRET_ACCESS_KEY=${secret} was in the log`;
    const { text: redacted, findings } = await redactSecrets(text);
    expect(redacted).toBe('AWS_SECRET_ACCESS_KEY=[REDACTED:aws_secret_access_key] was in the log');
    expect(findings).toEqual([
      { kind: 'aws_secret_access_key', start: 22, end: 62, marker: '[REDACTED:aws_secret_access_key]' },
    ]);
  });

  it('leaves a text without secrets as it is', async () => {
    const text = 'The cart service keeps 50 connections; commit b71e0c4 raised it to 80.';
    expect(await redactSecrets(text)).toEqual({ text, findings: [] });
  });

  it('tells forms of secrets from secrets in the same form', async () => {
    const token = random.text(HEX, 40);
    for (const [form, secret] of [
      ['virt-customize --root-password password:new_password', 'virt-customize --root-password password:q7Wd-41kz'],
      ['apitoken=PVEAPIToken=user@realm!token=secret,host=h', `apitoken=PVEAPIToken=root@pam!move=${token},host=h`],
      ['PVEAPIToken=user@realm!tokenid=UUID', `PVEAPIToken=root@pam!tokenid=${token}`],
    ] as const) {
      expect(await kinds(form), form).toEqual([]);
      expect(await kinds(secret), secret).toHaveLength(1);
    }
  });

  it('redacts several secrets of one text, each in its place', async () => {
    const token = `ghp_${random.text(ALNUM, 36)}`;
    const { text } = await redactSecrets(`first ${token}, then password: Harbor-77!x, then ${token}`);
    expect(text).toBe(
      'first [REDACTED:github_token], then password: [REDACTED:password], then [REDACTED:github_token]',
    );
  });

  it('keeps the host of an address and takes a password that holds an at sign', async () => {
    const { text } = await redactSecrets('postgresql://app:p@ss-w0rd@db01.internal:5432/shop');
    expect(text).toBe('postgresql://app:[REDACTED:connection_string_password]@db01.internal:5432/shop');
  });

  it('takes private blocks whole: nested, of several lines, never closed, but not when only talked about', async () => {
    const { text } = await redactSecrets('a <private>one <private>two</private>\nthree</private> b <PRIVATE>rest');
    expect(text).toBe('a [REDACTED:private] b [REDACTED:private]');
    const talk = 'Wrap it in `<private>` and it is not kept.';
    expect((await redactSecrets(talk)).text).toBe(talk);
  });

  it('takes private keys whose end was cut off, also several', async () => {
    const key = () => `-----BEGIN EC PRIVATE KEY-----\n${random.text(BASE64, 64)}\n`;
    const { text } = await redactSecrets(`${key()}${key()}`);
    expect(text).toBe('[REDACTED:private_key][REDACTED:private_key]');
  });

  it('cannot be switched off by a comment in the text', async () => {
    const token = `hf_${random.text('abcdefghijklmnopqrstuvwxyz', 34)}`;
    const { text } = await redactSecrets(`// secretlint-disable\n# secretlint-disable-line\n${token}`);
    expect(text).not.toContain(token);
  });

  it('does not take its own markers for secrets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('password', 'token', 'api_key', 'private'), async (kind) => {
        const text = `password: [REDACTED:${kind}], token=[REDACTED:${kind}] Bearer [REDACTED:${kind}]`;
        expect((await redactSecrets(text)).text).toBe(text);
      }),
    );
  });

  it('leaves an inlined image and the resource name of a secret alone', async () => {
    expect(await kinds(`![](data:image/png;base64,iVBORw0KGgo${random.text(BASE64, 4_000)})`)).toEqual([]);
    expect(
      await kinds(`arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-${random.text(ALNUM, 6)}`),
    ).toEqual([]);
  });

  it('finds the same secret wherever it stands', async () => {
    const around = fc.string({
      unit: fc.constantFrom('a', 'B', ' ', '\n', '"', "'", '=', ':', '/', '(', '`', '🙂', '.'),
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(around, around, async (before, after) => {
        const secret = `glpat-${random.text(ALNUM, 20)}`;
        const { text } = await redactSecrets(`${before} ${secret} ${after}`);
        expect(text).not.toContain(secret.slice(8));
      }),
    );
  });

  it('does not take what follows a marker for a secret because of the name in the marker', async () => {
    const text = `Bearer ${random.text(HEX, 40)}:\u{d3ebe}\u{1451c}\u{d3ebe}`;
    const { text: redacted } = await redactSecrets(text);
    expect((await redactSecrets(redacted)).text).toBe(redacted);
  });

  it('takes any text, gives ranges in order inside it, and finds nothing new in what it gave', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        'password',
        ' is ',
        '=',
        ':',
        '"',
        '`',
        'token',
        '://',
        '@',
        '<private>',
        '</private>',
        'Bearer ',
        '\n',
        'x7!Qp',
        random.text(HEX, 40),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = pieces.join('');
        const { text: redacted, findings } = await redactSecrets(text);
        expect((await redactSecrets(redacted)).text).toBe(redacted);
        let at = 0;
        for (const { start, end } of findings) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(at).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 500 },
    );
  });
});
