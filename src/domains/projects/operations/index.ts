// The project operations in the order tools are listed.
import { createProject } from './create_project.ts';
import { listProjects } from './list_projects.ts';
import { projectHealthCheck } from './project_health_check.ts';
import { switchProjectContext } from './switch_project_context.ts';
import { updateProject } from './update_project.ts';

export const projectOperations = [
  createProject,
  listProjects,
  switchProjectContext,
  projectHealthCheck,
  updateProject,
] as const;
