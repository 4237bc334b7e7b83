/** What the command line says of itself, and errors that are the caller's. */

/** A call that is wrong: its message is printed without a stack. */
export class UsageError extends Error {}

/** Status for calls that are wrong. */
export const EXIT_USAGE = 2;

export const USAGE = `Usage: foliofs top [--once] [--interval SECONDS] SCRIPT [ARGUMENT...]

Runs a script with Node and shows the file systems (kernels) that it makes with foliofs: memory, LRU lists, pages that were
not cached, dirty and written pages, swap. On a terminal it is drawn anew in place; elsewhere it is printed each time. Figures
come when the script's event loop turns. The status is that of the script.

  --once               print it once, when the script has ended
  --interval SECONDS   how often it is drawn (default: 1)
  --help, --version`;
