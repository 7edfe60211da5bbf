// Where a text mentions a user by name: as a word of its own, in any case, plain or as it stands in a URL.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { failure } from '../../kernel/errors.ts';

/** A shorter name is also an ordinary word, or part of every second text. */
const NAME_MIN_CHARS = 3;

export interface NameMatcher {
  /** True in SQL for every text that may mention the name. */
  likely(column: string): RawBuilder<SqlBool>;
  mentionedIn(text: string): boolean;
  /** The text with `pseudonym` in the name's place. */
  replace(text: string, pseudonym: string): string;
}

/** Whether a name is long enough to be looked for in texts. */
export function isMatchable(name: string): boolean {
  return name.length >= NAME_MIN_CHARS;
}

/**
 * A mention has no letter or digit on either side: `ada` is mentioned in `ada@example.com` and `ses_ada`, not in `Adam`.
 * Throws `invalid_input` for a name too short to be told from other words.
 */
export function createNameMatcher(name: string): NameMatcher {
  if (!isMatchable(name))
    throw failure(
      'invalid_input',
      `A name of fewer than ${NAME_MIN_CHARS} characters cannot be told from ordinary words.`,
      'Leave redact_mentions out; look for mentions by hand.',
    );
  const forms = [...new Set([name, encodeURIComponent(name), JSON.stringify(name).slice(1, -1)])];
  const pattern = forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
  const mention = () => new RegExp(`(?<![\\p{L}\\p{N}])(?:${pattern})(?![\\p{L}\\p{N}])`, 'giu');
  return {
    likely(column) {
      // SQLite folds the case of ASCII letters alone: for other names every text is read.
      if (!/^[\x20-\x7e]+$/.test(name)) return sql<SqlBool>`${sql.ref(column)} is not null`;
      const parts = forms.map(
        (form) => sql<SqlBool>`lower(${sql.ref(column)}) like ${`%${likePattern(form)}%`} escape '~'`,
      );
      return sql<SqlBool>`(${sql.join(parts, sql` or `)})`;
    },
    mentionedIn: (text) => mention().test(text),
    replace: (text, pseudonym) => text.replace(mention(), pseudonym),
  };
}

function likePattern(text: string): string {
  return text.toLowerCase().replace(/[~%_]/g, '~$&');
}
