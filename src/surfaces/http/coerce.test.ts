import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coerceQuery } from './coerce.ts';

const schema = {
  properties: {
    count: { type: 'integer' },
    flag: { type: 'boolean' },
    tags: { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'string' }] },
    sizes: { type: 'array', items: { type: 'number' } },
    where: { type: 'object' },
    text: { type: 'string' },
    level: { type: ['integer', 'null'] },
    names: { type: ['array', 'null'], items: { type: 'string' } },
  },
};

describe('coerceQuery', () => {
  it('makes of each text what its field is', () => {
    const query = {
      count: '7',
      flag: 'TRUE',
      tags: 'a, b',
      sizes: ['1', '2.5'],
      where: '{"a":1}',
      text: '7',
      other: 'x',
    };
    expect(coerceQuery(query, schema)).toEqual({
      count: 7,
      flag: true,
      tags: ['a', 'b'],
      sizes: [1, 2.5],
      where: { a: 1 },
      text: '7',
      other: 'x',
    });
  });

  it('looks past null', () => {
    expect(coerceQuery({ level: '3', names: 'a,b' }, schema)).toEqual({ level: 3, names: ['a', 'b'] });
  });

  it('leaves what does not fit as text, for validation to name', () => {
    expect(coerceQuery({ count: 'seven', flag: 'maybe', where: '{', text: ['a', 'b'] }, schema)).toEqual({
      count: 'seven',
      flag: 'maybe',
      where: '{',
      text: 'b',
    });
  });

  it('reads back every number and list it could be given', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.array(fc.string()), (number, list) => {
        const coerced = coerceQuery({ sizes: [String(number)], tags: JSON.stringify(list) }, schema);
        expect(coerced.sizes).toEqual([Object.is(number, -0) ? 0 : number]);
        expect(coerced.tags).toEqual(list);
      }),
    );
  });

  it('keeps a field called __proto__ a field', () => {
    const query = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    expect(Object.keys(coerceQuery(query, schema))).toEqual(['__proto__']);
  });
});
