// The operations of this domain, in the order tools are listed.
import { bulkDeleteMemories } from './bulk_delete_memories.ts';
import { cleanupExpiredDeletions } from './cleanup_expired_deletions.ts';
import { deleteMemory } from './delete_memory.ts';
import { detectDuplicateMemories } from './detect_duplicate_memories.ts';
import { getMachineContext } from './get_machine_context.ts';
import { getMemoryStats } from './get_memory_stats.ts';
import { getProjectMemories } from './get_project_memories.ts';
import { getRecentMemories } from './get_recent_memories.ts';
import { importConversation } from './import_conversation.ts';
import { listDeletedMemories } from './list_deleted_memories.ts';
import { listMemorySources } from './list_memory_sources.ts';
import { mergeDuplicateMemories } from './merge_duplicate_memories.ts';
import { recoverDeletedMemory } from './recover_deleted_memory.ts';
import { retrieveMemory } from './retrieve_memory.ts';
import { searchMemories } from './search_memories.ts';
import { storeMemory } from './store_memory.ts';
import { updateMemory } from './update_memory.ts';

export const memoryOperations = [
  storeMemory,
  searchMemories,
  retrieveMemory,
  updateMemory,
  getRecentMemories,
  getMemoryStats,
  getProjectMemories,
  getMachineContext,
  listMemorySources,
  importConversation,
  deleteMemory,
  bulkDeleteMemories,
  recoverDeletedMemory,
  listDeletedMemories,
  detectDuplicateMemories,
  mergeDuplicateMemories,
  cleanupExpiredDeletions,
] as const;
