// Agents: who is there, what they can do, what they write to each other. What other domains and compose.ts may use.
export { type Agents, type AgentsOptions, type Candidate, createAgents, type TaskMessage } from './agents.ts';
export type {
  AgentDeps,
  AgentLoad,
  AgentTask,
  AgentTrx,
  AgentWork,
  DelegatedTask,
  Heartbeat,
  MachineGroups,
  NotedCall,
  Outcomes,
  Presence,
  TaskPort,
  WantedWorkPlace,
  WorkHistory,
} from './deps.ts';
export { agentOperations } from './operations/index.ts';
export type { AgentTables } from './tables.ts';
