// The operations of this domain, in the order tools are listed.
import { getFormatGuide } from './get_format_guide.ts';
import { getMemoryAccessStats } from './get_memory_access_stats.ts';

export const formatOperations = [getMemoryAccessStats, getFormatGuide] as const;
