// Types of source-hash.mjs, which is plain JavaScript because set-up runs it on an older Node.

/** Name of the file in dist/ that holds the hash of the sources it was built from. */
export declare const STAMP_FILE: string;
/** SHA-256 over names and contents of everything the build reads, tests aside. */
export declare function sourceHash(root: string): string;
