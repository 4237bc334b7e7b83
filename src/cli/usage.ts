/** What the command line says of itself, and errors that are the caller's. */

/** A call that is wrong: its message is printed without a stack. */
export class UsageError extends Error {}

/** Status for calls that are wrong. */
export const EXIT_USAGE = 2;
/** Status when nobody reads on, as a shell has it of who ends by SIGPIPE, which Node ignores. */
export const EXIT_PIPE = 141;

export const USAGE = `Usage: foliofs top [--once] [--interval SECONDS] SCRIPT [ARGUMENT...]

Runs a script with Node and shows the file systems (kernels) that it makes with foliofs: memory, LRU lists, pages that were
not cached, dirty and written pages, swap. On a terminal it is drawn anew in place; elsewhere it is printed each time. Figures
come when the script's event loop turns. The status is that of the script.

  --once               print it once, when the script has ended
  --interval SECONDS   how often it is drawn (default: 1)

       foliofs fuzz [--subject NAME] [--oracle NAME] [--profile NAME] [--seed N] [--ops N] [--time SECONDS] ...

Runs random programs of file-system calls on foliofs and on the host's kernel, in a root of its own, or on a model of it, and
compares call by call what comes of them. What differs is shrunk and printed; the status is 1 then.

  --subject NAME       tmpfs (default), ramfs, overlay, hostfs; model; memfs, zenfs, node-vfs where they are installed
  --oracle NAME        tmpfs (default); with root ext4, xfs, overlayfs (default for overlay); model (default where there
                       is no Linux)
  --profile NAME       data, names, permissions, mixed, hostile; all in turns by default. async: calls of several chains that are
                       under way at the same time, in orders by the seed, without an oracle; on tmpfs, ramfs, store,
                       store-both, overlay, swap, all in turns by default
  --faults             each allocation of memory fails in turn on tmpfs, ramfs, overlay; power: a store whose power is cut; all
                       by default, without an oracle. With --profile async calls of stores fail
  --seed N             of the first program; it is printed
  --ops N              ends after so many calls (default: 100000)
  --time SECONDS       ends after that time
  --findings N         ends after so many different findings (default: 10)
  --limit BYTES        memory of the subject
  --build NAME         single (default), shared
  --jobs N             threads (default: one for each processor with the model, else one)
  --report DIR         writes a replay of each finding there
  --table              prints findings as a table of Markdown; not with --faults and --profile async
  --replay FILE        runs a replay again on the subject, in the place of all else

       foliofs fsx [--on NAME] [--seed N] [--ops N] [--time SECONDS] [--length BYTES] ...

Exercises two files by reads, writes, mappings, truncation, holes, clones, syncs, dropped caches, mounts, snapshots and more, in
any order, beside an array of what should be in them. What is wrong is shrunk and printed; the status is 1 then.

  --on NAME            tmpfs (default), ramfs, swap, overlay, layer, hostfs, lazyfs, store; kernel: a folder of the host
  --seed N             of the first program; it is printed
  --ops N              ends after so many operations (default: 100000)
  --time SECONDS       ends after that time
  --findings N         ends after so many different findings (default: 10)
  --length BYTES       most bytes of a file (default: 262144)
  --limit BYTES        memory of the kernel
  --build NAME         single (default), shared
  --no-mmap            no mappings and views
  --no-direct          nothing round the cache
  --folder DIR         where files of the host are made
  --log FILE           gets each operation
  --report DIR         writes a replay of each finding there
  --replay FILE        runs a replay again, in the place of all else

  --help, --version`;
