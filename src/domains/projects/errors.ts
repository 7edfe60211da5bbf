// Errors of the projects domain.
import { failure, type HaivemindError } from '../../kernel/errors.ts';

/** A project that is absent or not visible: the two are not told apart. */
export function projectNotFound(project_id: string): HaivemindError {
  return failure('not_found', `There is no project ${project_id}.`, 'list_projects shows the projects you may see.', {
    details: { project_id },
  });
}

/** Another project of this place, which is not over, has the name. */
export function nameTaken(project_id: string): HaivemindError {
  return failure(
    'conflict',
    `Project ${project_id} has this name in the same place.`,
    'Go on in that one with switch_project_context, or take another name.',
    { details: { project_id } },
  );
}

export function nameAmbiguous(project_ids: readonly string[]): HaivemindError {
  return failure(
    'conflict',
    `${project_ids.length} projects you may see have this name: ${project_ids.join(', ')}.`,
    'Give the id of the one that is meant.',
    { details: { project_ids: [...project_ids] } },
  );
}

/** Somebody changed it since the caller read it. */
export function projectChanged(project_id: string, version: number): HaivemindError {
  return failure(
    'conflict',
    `Project ${project_id} is at version ${version} by now.`,
    'Read it again with list_projects, and say what you want on top of that.',
    { details: { project_id, version } },
  );
}
