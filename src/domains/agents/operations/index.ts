// The agent operations in the order tools are listed.
import { broadcastDiscovery } from './broadcast_discovery.ts';
import { checkInboxOperation } from './check_inbox.ts';
import { delegateTask } from './delegate_task.ts';
import { getAgentRoster } from './get_agent_roster.ts';
import { queryAgentKnowledge } from './query_agent_knowledge.ts';
import { registerAgent } from './register_agent.ts';
import { sendMessage } from './send_message.ts';

export const agentOperations = [
  registerAgent,
  getAgentRoster,
  delegateTask,
  queryAgentKnowledge,
  broadcastDiscovery,
  checkInboxOperation,
  sendMessage,
] as const;
