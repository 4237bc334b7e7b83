/** The table as docs/errno-table.md shows it. */
import type { Pair, Pairs } from "./pair.ts";

const INTRO = `# Calls and their errnos

What Linux's manual pages list for each call that foliofs has, and how it comes up here. Written by \`test/errno\`, whose table has a
scene for each pair: \`FOLIOFS_BUILD=debug npx vitest --project core test/errno -u\` writes this page anew.

- **kernel**: a program produces it. Its scene runs on foliofs and on the host's kernel, on a tmpfs, and all its calls come to the same.
- **fault**: what fails below produces it: an allocation of the core, or a store. Its scene injects the failure.
- **n/a**: it cannot come up, for the reason given.
`;

const WORDS = { kernel: "kernel", tasks: "kernel", fault: "fault", none: "n/a" } as const;

/** "1 of 3", for the whole table. */
export interface Counts {
  readonly kernel: number;
  readonly fault: number;
  readonly none: number;
}

export function countPairs(table: Readonly<Record<string, Pairs>>): Counts {
  const all = Object.values(table).flatMap((pairs) => Object.values(pairs));
  const nr = (word: string): number => all.filter(({ by }) => WORDS[by] === word).length;
  return { kernel: nr("kernel"), fault: nr("fault"), none: nr("n/a") };
}

function told(pair: Pair): string {
  return pair.by === "none" ? pair.why : pair.when;
}

function section(call: string, pairs: Pairs): string {
  const rows = Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `## ${call}\n`,
    "| errno | | |",
    "|---|---|---|",
    ...rows.map(([errno, pair]) => `| ${errno} | ${WORDS[pair.by]} | ${told(pair)} |`),
    "",
  ].join("\n");
}

/** @param exceptions pairs that differ from the kernel, or have no scene, with reasons */
export function render(table: Readonly<Record<string, Pairs>>, exceptions: Readonly<Record<string, string>>): string {
  const { kernel, fault, none } = countPairs(table);
  const left = Object.entries(exceptions).map(([pair, why]) => `- \`${pair}\`: ${why}`);
  const sum = `${Object.keys(table).length} calls: ${kernel} pairs of the kernel, ${left.length} of them not compared; ${fault} of faults; ${none} that cannot come up.`;
  const open = left.length === 0 ? [] : ["Not compared with the kernel:\n", ...left, ""];
  const sections = Object.entries(table).map(([call, pairs]) => section(call, pairs));
  return [INTRO, `${sum}\n`, ...open, ...sections].join("\n");
}
