// How much is read, held and committed at once.

/** Rows of a page at most: a page is a transaction at the target. */
export const PAGE_MAX_ROWS = 500;
/** A page ends with the row that brings it to this. */
export const PAGE_MAX_BYTES = 1024 * 1024;
