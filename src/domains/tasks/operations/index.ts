// The operations of this domain, in the order tools are listed.
export const taskOperations = [] as const;
