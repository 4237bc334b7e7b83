/**
 * `foliofs top SCRIPT`: runs a script in a process of its own and shows the kernels that it makes.
 *
 *   this process                     the script's
 *   screen ◄─ table ◄─ samples ◄──── descriptor 3 ◄─ top-hook
 *          ◄─ output ◄────────────── stdout, stderr, where the terminal is shared
 *
 * Does not own: the figures (top-hook.ts), the table (top-table.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { extname, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { Screen } from "./screen.ts";
import type { TopOptions } from "./top-options.ts";
import { INTERVAL_VARIABLE, SAMPLE_FD, type TopSample } from "./top-sample.ts";
import { renderTop } from "./top-table.ts";
import { UsageError } from "./usage.ts";

const HOOK = new URL("./top-hook.js", import.meta.url);
const TYPESCRIPT = [".ts", ".mts", ".cts"];
/** Shells say so of a process that a signal has ended. */
const SIGNALLED = 128;

/** Runs the script to its end. @returns its status @throws UsageError when there is no such script */
export async function top(options: TopOptions): Promise<number> {
  const script = resolve(options.script);
  if (!existsSync(script)) throw new UsageError(`there is no script ${options.script}`);
  const sharesTerminal = process.stdout.isTTY === true && !options.once;
  const child = start(script, options, sharesTerminal);
  const status = ended(child);
  const show = sharesTerminal ? onTerminal(child, options.script) : onPipe(options);
  let last: TopSample | undefined;
  await forEachLine(child.stdio[SAMPLE_FD] as Readable, (line) => {
    const sample = JSON.parse(line) as TopSample;
    show.sample(sample, last);
    last = sample;
  });
  const rc = await status;
  show.end(last);
  return rc;
}

function start(script: string, { args, intervalMs }: TopOptions, sharesTerminal: boolean): ChildProcess {
  const imports = [...typeScriptLoader(script), HOOK.href].flatMap((module) => ["--import", module]);
  const output = sharesTerminal ? "pipe" : "inherit";
  return spawn(process.execPath, [...process.execArgv, ...imports, script, ...args], {
    stdio: ["inherit", output, output, "pipe"],
    env: { ...process.env, [INTERVAL_VARIABLE]: String(intervalMs) },
  });
}

/** tsx, for a script in TypeScript, if it is installed where the script lies; newer Nodes need none. */
function typeScriptLoader(script: string): string[] {
  if (!TYPESCRIPT.includes(extname(script))) return [];
  try {
    return [pathToFileURL(createRequire(script).resolve("tsx")).href];
  } catch {
    return [];
  }
}

/** What ends the script does not end this process before it has shown the last of it. */
function ended(child: ChildProcess): Promise<number> {
  process.on("SIGINT", () => {}); // the terminal has sent it to both
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code, signal) => done(code ?? SIGNALLED + constants.signals[signal as NodeJS.Signals]));
  });
}

interface Display {
  sample(now: TopSample, before: TopSample | undefined): void;
  /** The script has ended. @param last what was told last, if anything was */
  end(last: TopSample | undefined): void;
}

function onTerminal(child: ChildProcess, title: string): Display {
  const screen = new Screen(process.stdout);
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => screen.print(text));
  return {
    sample: (now, before) => screen.draw(renderTop(title, now, before)),
    end: (last) => {
      if (last === undefined) screen.draw(renderTop(title, last));
      screen.end();
    },
  };
}

/** @param once at the end alone */
function onPipe({ once, script }: TopOptions): Display {
  const print = (now?: TopSample, before?: TopSample) => process.stdout.write(`${renderTop(script, now, before)}\n`);
  return {
    sample: (now, before) => {
      if (!once) print(now, before);
    },
    end: (last) => {
      if (once || last === undefined) print(last);
    },
  };
}

async function forEachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    lines.forEach(take);
  }
}
