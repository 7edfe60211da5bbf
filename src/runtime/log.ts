// Structured logs to stderr (stdout belongs to the protocol), with fields named like secrets redacted.
import { type Logger, pino } from 'pino';
import type { Log } from '../surfaces/runtime.ts';

const SECRET_NAMES = [
  'password',
  'passwd',
  'secret',
  'token',
  'authorization',
  'cookie',
  'api_key',
  'apiKey',
  'private_key',
  'passphrase',
  'value',
];

/** Paths pino redacts: the names at the top and two levels down. */
const REDACTED_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `headers["${name}"]`]);

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Writes synchronously, so that the last line before a crash is there. `fd` is for tests. */
export function createLog(level: LogLevel, bindings: Readonly<Record<string, unknown>> = {}, fd = 2): Log {
  const logger: Logger = pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd, sync: true }),
  );
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
