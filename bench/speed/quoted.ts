// Figures of other memory servers, quoted from a comparison made earlier on another machine of this kind (2 shared cores, Debian 12,
// 200-character texts, MCP over stdio, the same embedding model). They were not measured in this run: compare orders of magnitude.

export interface QuotedRow {
  readonly what: string;
  readonly mcp_memory_service: string;
  readonly basic_memory: string;
  readonly server_memory: string;
}

export const QUOTED: readonly QuotedRow[] = [
  { what: 'version', mcp_memory_service: '12.2', basic_memory: '0.24', server_memory: '-' },
  {
    what: 'cold start to tools/list, min ms',
    mcp_memory_service: '1,447',
    basic_memory: '4,085',
    server_memory: '194',
  },
  {
    what: 'resident MiB, idle / in use',
    mcp_memory_service: '249 / 275',
    basic_memory: '229 / 523',
    server_memory: '68 / 100',
  },
  {
    what: 'store, 1,000 stored, p50 / min ms',
    mcp_memory_service: '53 / 17.5',
    basic_memory: '473 / 192',
    server_memory: '3.9 / 1.2',
  },
  { what: 'store, 6,000 stored, p50 / min ms', mcp_memory_service: '76 / 56', basic_memory: '-', server_memory: '-' },
  {
    what: 'search, 1,000 stored, p50 / min ms',
    mcp_memory_service: '19.7 / 18.2',
    basic_memory: '100 / 43',
    server_memory: '4.7 / 2.6 (substrings only)',
  },
  {
    what: 'search, 6,000 stored, p50 / min ms',
    mcp_memory_service: '33 / 29.8',
    basic_memory: '-',
    server_memory: '-',
  },
  { what: 'searches/s, 4 in flight', mcp_memory_service: '50', basic_memory: '15', server_memory: '-' },
  {
    what: '4 processes, writes lost; writes/s',
    mcp_memory_service: '0 of 800; 23',
    basic_memory: '-',
    server_memory: '367 of 800; -',
  },
];
