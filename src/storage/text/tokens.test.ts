import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compoundNames, hiddenParts } from './names.ts';
import { indexText, matchExpression, queryTerms } from './tokens.ts';

describe('names', () => {
  it('finds names of several parts', () => {
    expect(compoundNames('see kube-proxy at 10.0.3.7, in /etc/nginx/nginx.conf')).toEqual([
      ['kube', 'proxy'],
      ['10', '0', '3', '7'],
      ['etc', 'nginx', 'nginx', 'conf'],
    ]);
  });
  it('opens camel case and numbered codes', () => {
    expect(hiddenParts(['camelCaseThing', 'HTTPServer', 'E11000', 'plain', 'v2'])).toEqual([
      'camel',
      'Case',
      'Thing',
      'HTTP',
      'Server',
      'E',
      '11000',
    ]);
  });
});

describe('query terms', () => {
  it('drops stop words while others remain', () => {
    expect(queryTerms('How do I restart the proxy?').words).toEqual(['restart', 'proxy']);
    expect(queryTerms('what is it').words).toEqual(['what', 'is', 'it']);
  });
  it('asks for a name as a whole only where it is the point', () => {
    expect(queryTerms('restart kube-proxy').phrases).toEqual([['kube', 'proxy']]);
    expect(queryTerms('alert alpha beta gamma delta epsilon zeta eta fired on kube-proxy').phrases).toEqual([]);
  });
  it('ignores small readings in a long question', () => {
    const { words } = queryTerms('latency of checkout service above 30 seconds during last 15 minutes on node alpha');
    expect(words).not.toContain('30');
    expect(queryTerms('error 42').words).toContain('42');
  });
  it('has no expression for a question without words', () => {
    expect(matchExpression(queryTerms(' -- "" '))).toBeUndefined();
  });
  it('only ever holds quoted words joined by OR', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const expression = matchExpression(queryTerms(text)) ?? '"a"';
        expect(expression).toMatch(/^"[\p{L}\p{N}\p{M}\p{Co} ]+"( OR "[\p{L}\p{N}\p{M}\p{Co} ]+")*$/u);
      }),
    );
  });
});

describe('index text', () => {
  it('repeats a heading and nothing else', () => {
    expect(indexText('Disk full\nfree some space')).toBe('Disk full\nfree some space\nDisk full\nDisk full');
    expect(indexText('one line only')).toBe('one line only');
  });
  it('leaves no control characters or lone surrogates', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const out = indexText(text);
        expect(out.isWellFormed()).toBe(true);
        expect(out.includes('\u0000')).toBe(false);
      }),
    );
  });
});
