// The OpenAPI document of the real operations: complete, self-contained, and true to what the server accepts.
import { describe, expect, it } from 'vitest';
import { formatOperations } from '../src/domains/format/index.ts';
import { memoryOperations } from '../src/domains/memory/index.ts';
import { bindOperation } from '../src/kernel/operation.ts';
import { buildOpenApi } from '../src/surfaces/http/openapi.ts';

const operations = [...memoryOperations, ...formatOperations].map((operation) =>
  bindOperation(operation as never, {} as never),
);
const api = buildOpenApi({ version: '1.2.3' }, operations) as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly examples?: Readonly<Record<string, { readonly value: object }>> }>
    >;
  };
  readonly responses: Readonly<Record<string, unknown>>;
}

describe('the OpenAPI document', () => {
  const described = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

  it('describes each operation once, at a path of its own', () => {
    const ids = described.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, rest } of operations) {
      expect(api.paths[`/api/v1${rest.path}`]?.[rest.method.toLowerCase()]?.operationId).toBe(name);
    }
  });

  it('declares every parameter of a path, and a failure for everything that can fail', () => {
    for (const { path, operation } of described.filter((one) => one.path.startsWith('/api/'))) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map((parameter) => parameter.name).sort()).toEqual(named.sort());
      expect(declared.every((parameter) => parameter.required)).toBe(true);
      expect(operation.responses).toHaveProperty('default');
    }
  });

  it('refers to nothing outside itself', () => {
    const references = [...JSON.stringify(api).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(references)).toEqual(new Set(['#/components/schemas/Problem']));
    expect(api.openapi).toBe('3.1.0');
  });

  it('gives examples that the operations accept', () => {
    for (const { name, input, rest } of operations) {
      const body = api.paths[`/api/v1${rest.path}`]?.[rest.method.toLowerCase()]?.requestBody;
      const examples = Object.values(body?.content['application/json']?.examples ?? {});
      const inPath = Object.fromEntries([...rest.path.matchAll(/\{(\w+)\}/g)].map((match) => [match[1], 'some_id']));
      for (const example of examples) {
        const result = input.safeParse({ ...inPath, ...example.value });
        expect(result.success, `${name}: ${result.error?.message ?? ''}`).toBe(true);
      }
    }
  });
});
