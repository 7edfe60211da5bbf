// The words and options of the verbs of `haivemind tasks` that are no operations; what they do is loaded when they run.
import { type Command, Option } from 'commander';
import type { CliContext, Finish } from '../contract.ts';

export function addTaskVerbs(tasks: Command, ctx: CliContext, finish: Finish): void {
  const verb = (name: string, summary: string) => tasks.command(name).summary(summary).description(summary);
  const board = verb('board', 'draw the board: columns with who works on what, or the plan of stories');
  board
    .option('--project <project_id>', 'only this project')
    .option('--stories', 'stories in the order of work, tickets by stage: 1, 2a and 2b in parallel, 3')
    .option('--ids', 'ids of the tasks too, for tasks get, claim and update; they are always there when piped')
    .option('--limit <number>', 'tasks of a column, or of the plan')
    .addHelpText(
      'after',
      '\nPiped, each task is a line: status, stage, critical (*), task_id, priority, agent, age, title, separated by tabs.\nStages: 2.1a is ticket 1a of story 2; what has a letter goes in parallel.\n* marks the critical path: the longest chain of work that is still to be done.',
    )
    .action(async () => {
      const { runBoard } = await import('./tasks.ts');
      finish(await runBoard(board.opts(), ctx));
    });
  const ready = verb('ready', 'list the tasks that can be begun now, the most urgent first');
  ready
    .option('--project <project_id>', 'only this project')
    .option('--limit <number>', 'how many at most; default: 20')
    .action(async () => {
      const { runReady } = await import('./tasks.ts');
      finish(await runReady(ready.opts(), ctx));
    });
  addTransfers(verb, ctx, finish);
}

function addTransfers(verb: (name: string, summary: string) => Command, ctx: CliContext, finish: Finish): void {
  const load = verb('import', 'load a board; again, it takes what the source changed and keeps what was changed here');
  load
    .argument('<file>', "beads' issues.jsonl, GitHub issues as JSON, Markdown, an export; - for standard input")
    .addOption(new Option('--format <name>', 'default: recognised').choices(['json', 'beads', 'github', 'markdown']))
    .option('--source <name>', 'GitHub: owner/name of the repository; Markdown: name of the board')
    .option('--project <project_id>', 'project of the tasks')
    .addOption(new Option('--scope <scope>', 'who may see them').choices(['solo', 'team', 'shared']))
    .option('--team <team_id>', 'team that gets them; implies --scope team')
    .addHelpText(
      'after',
      '\nFrom GitHub: gh issue list --state all --limit 1000 --json number,title,body,state,stateReason,labels,assignees,milestone,url,createdAt,closedAt,comments | haivemind tasks import -',
    )
    .action(async () => {
      const { runTaskImport } = await import('./tasks-transfer.ts');
      finish(await runTaskImport(load.args, load.opts(), ctx));
    });
  const save = verb('export', 'write the board as JSON Lines for another hub, or as Markdown for people');
  save
    .addOption(new Option('--format <name>', 'form of it').choices(['json', 'markdown']).default('json'))
    .option('-o, --output <file>', 'file to write; default: standard output')
    .option('--project <project_id>', 'only this project')
    .action(async () => {
      const { runTaskExport } = await import('./tasks-transfer.ts');
      finish(await runTaskExport(save.opts(), ctx));
    });
}
