// The agent operations in the order tools are listed.
export const agentOperations = [] as const;
