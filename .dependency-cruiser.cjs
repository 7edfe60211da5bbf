// The rings and rooms of design: imports point one way, domains meet only at their index.ts, nothing goes round in circles.
const ring = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ring(
      'kernel-imports-nothing',
      '^src/kernel/',
      '^src/(storage|domains|surfaces|runtime|config|compose|cli)',
      'kernel knows nothing of ours',
    ),
    ring(
      'storage-below-domains',
      '^src/storage/',
      '^src/(domains|surfaces|runtime|compose|cli)',
      'storage knows no domain',
    ),
    ring(
      'domains-below-surfaces',
      '^src/domains/',
      '^src/(surfaces|runtime|config|compose|cli)',
      'a domain knows no transport and no configuration',
    ),
    ring(
      'surfaces-not-compose',
      '^src/surfaces/',
      '^src/(runtime/|compose|cli)',
      'only the entry point sees compose.ts',
    ),
    ring(
      'config-above-kernel',
      '^src/config/',
      '^src/(storage|domains|surfaces|runtime|compose|cli)',
      'configuration knows the kernel alone',
    ),
    {
      name: 'surfaces-not-storage',
      severity: 'error',
      comment: 'a surface turns a transport into operation calls, nothing more',
      from: { path: '^src/surfaces/' },
      to: { path: '^src/storage/' },
    },
    {
      name: 'domains-meet-at-index',
      severity: 'error',
      comment: 'another domain is reached only through its index.ts',
      from: { path: '^src/domains/([^/]+)/' },
      to: { path: '^src/domains/([^/]+)/', pathNot: ['^src/domains/$1/', '^src/domains/[^/]+/index\\.ts$'] },
    },
    {
      name: 'surfaces-use-domain-index',
      severity: 'error',
      from: { path: '^src/surfaces/' },
      to: { path: '^src/domains/', pathNot: '^src/domains/[^/]+/index\\.ts$' },
    },
    {
      name: 'no-test-code-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '(\\.test\\.ts$|^test/|^bench/)' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The parser does not know `using` declarations, which tests are written with.
    exclude: { path: '\\.test\\.ts$' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    parser: 'swc',
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};
