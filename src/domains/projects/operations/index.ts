// The project operations in the order tools are listed.
import { createProject } from './create_project.ts';

export const projectOperations = [createProject] as const;
