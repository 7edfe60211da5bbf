// Format: the notation of memories and what a session is told about it. What other domains and compose.ts may use.
export { detectFormat, type FormatVersion, GUIDE, suggestV2 } from './guide.ts';
export { formatOperations } from './operations/index.ts';
