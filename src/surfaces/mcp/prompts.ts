// Prompts a person starts by hand: they tell the model which tools to use in which order for a recurring job.
import type { CompleteResult, GetPromptResult, Prompt } from '@modelcontextprotocol/server';
import { failure } from '../../kernel/errors.ts';

interface PromptDefinition {
  readonly prompt: Prompt;
  /** Suggested values by argument. */
  readonly suggestions: Readonly<Record<string, readonly string[]>>;
  text(args: Readonly<Record<string, string>>): string;
}

const SINCE = ['1h', '24h', '7d', '30d'];

const PROMPTS: readonly PromptDefinition[] = [
  {
    prompt: {
      name: 'incident_handover',
      title: 'Hand over an incident',
      description: 'Gather what is remembered about a running incident and write the hand-over for whoever takes over.',
      arguments: [
        { name: 'subject', description: 'Service, host or incident, for example "payments API".', required: true },
        { name: 'since', description: 'How far back to look, for example 24h.' },
      ],
    },
    suggestions: { since: SINCE },
    text: (args) => `Prepare the hand-over of an incident about: ${args.subject}.

1. Call search_memories for it with since="${args.since ?? '24h'}" and a second time without a time limit for earlier, similar cases.
2. Call get_recent_memories to catch what was noted under other words.
3. Write the hand-over: state now, timeline with times, what was tried and with what result, open questions, next steps, and earlier cases that look alike. Name the memory_id behind each statement; mark guesses as guesses.
4. Show it to me. When I agree, keep it with store_memory, category "incidents", tags "handover".`,
  },
  {
    prompt: {
      name: 'session_to_memories',
      title: 'Keep what this session learned',
      description: 'Turn what this conversation found out into memories that help the next person.',
      arguments: [{ name: 'project', description: 'Project the memories belong to.' }],
    },
    suggestions: {},
    text: (
      args,
    ) => `Look back over this conversation and keep what somebody will need later${args.project ? ` in project ${args.project}` : ''}.

1. List facts, decisions with their reasons, commands that worked, and dead ends. Leave out passwords, tokens and keys.
2. For each, call search_memories first: update_memory what is outdated, skip what is already there.
3. Store the rest with store_memory, one fact a memory, in the words somebody would search for, with category and tags.
4. End with a list of what was stored, updated and skipped, with memory_ids.`,
  },
  {
    prompt: {
      name: 'check_before_fix',
      title: 'What do we know about this?',
      description: 'Find earlier cases of a problem before changing anything.',
      arguments: [
        { name: 'problem', description: 'The symptom, with its exact error message if there is one.', required: true },
      ],
    },
    suggestions: {},
    text: (args) => `Before anything is changed, find out what is known about this problem: ${args.problem}

1. Call search_memories with the exact error text, then with the affected component, then with the symptom in other words.
2. Say which earlier cases fit, what solved them and what did not, with memory_ids; say so plainly if nothing fits.
3. Propose the next step and wait for my go-ahead.`,
  },
];

export function listPrompts(): Prompt[] {
  return PROMPTS.map((definition) => definition.prompt);
}

/** Throws `not_found` for an unknown prompt and `invalid_input` where a required argument is missing. */
export function getPrompt(name: string, args: Readonly<Record<string, string>> = {}): GetPromptResult {
  const definition = PROMPTS.find((known) => known.prompt.name === name);
  if (!definition)
    throw failure('not_found', `There is no prompt called ${JSON.stringify(name.slice(0, 100))}.`, promptNames());
  for (const argument of definition.prompt.arguments ?? []) {
    if (argument.required && !args[argument.name]?.trim()) {
      throw failure('invalid_input', `${name}: ${argument.name}: is missing.`, argument.description ?? '');
    }
  }
  return {
    description: definition.prompt.description ?? '',
    messages: [{ role: 'user', content: { type: 'text', text: definition.text(args) } }],
  };
}

/** Values that fit what was typed so far. */
export function completeArgument(prompt: string, argument: string, typed: string): CompleteResult {
  const suggestions = PROMPTS.find((known) => known.prompt.name === prompt)?.suggestions[argument] ?? [];
  const values = suggestions.filter((value) => value.startsWith(typed));
  return { completion: { values, total: values.length, hasMore: false } };
}

function promptNames(): string {
  return `Prompts: ${PROMPTS.map((definition) => definition.prompt.name).join(', ')}.`;
}
