#!/usr/bin/env node
/** The command line: `foliofs top`, `foliofs fuzz`, `foliofs fsx`. */
import { readFileSync } from "node:fs";
import { top } from "./top.ts";
import { parseTopOptions } from "./top-options.ts";
import { EXIT_PIPE, EXIT_USAGE, USAGE, UsageError } from "./usage.ts";

function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}

function isHelp(args: readonly string[]): boolean {
  return ["--help", "-h"].includes(args[0]);
}

/** @returns the status to end with @throws UsageError */
async function run([command, ...args]: readonly string[]): Promise<number> {
  if (command === "top" && !isHelp(args)) return top(parseTopOptions(args));
  if (command === "fuzz" && !isHelp(args)) return (await import("./fuzz.ts")).fuzz(args);
  if (command === "fsx" && !isHelp(args)) return (await import("./fsx.ts")).fsx(args);
  if (command === "--version") console.log(version());
  else if (["--help", "-h", "top", "fuzz", "fsx"].includes(command)) console.log(USAGE);
  else throw new UsageError(command === undefined ? "what is to be done?" : `there is no command ${command}`);
  return 0;
}

/** `head` has read what it wanted, for one. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT_PIPE);
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`foliofs: ${error.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
