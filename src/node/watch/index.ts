/** Watching, as a part of a face: fs.watch(), watchFile(), unwatchFile(), promises.watch(). */
import type { Syscalls } from "../../vfs/syscalls.ts";
import type { Operations } from "../operations/index.ts";
import { toPath } from "../paths.ts";
import { soon1 } from "../settle.ts";
import { withinForm } from "../stacks.ts";
import { toOptions } from "../validators.ts";
import type { AddWatch } from "./fs-event.ts";
import { FSWatcher } from "./fs-watcher.ts";
import type { CompilePattern } from "./ignore.ts";
import { promisesWatch } from "./promises-watch.ts";
import { FSWatcher as RecursiveWatcher } from "./recursive-watcher.ts";
import { watchFileForms } from "./watch-file.ts";
import { toPlainOptions, toTreeOptions } from "./watch-options.ts";

type Watcher = FSWatcher | RecursiveWatcher;
type Form = (filename: unknown, options: unknown, listener: unknown) => Watcher;

/** Closes a watcher when the signal is aborted. */
function closeOnAbort(watcher: Watcher, signal: AbortSignal): void {
  const close = (): void => watcher.close();
  if (signal.aborted) soon1(close, undefined);
  else {
    signal.addEventListener("abort", close);
    watcher.once("close", () => signal.removeEventListener("abort", close));
  }
}

/**
 * @param addWatch the system call
 * @param compile patterns of `ignore`
 */
export function watchForms(sys: Syscalls, ops: Operations, addWatch: AddWatch, compile: CompilePattern) {
  const calls = { sys, ops, addWatch };

  const watch: Form = (filename, options, listener) =>
    withinForm(watch, () => {
      const given = toOptions(options);
      const path = toPath(filename);
      const watcher = given.recursive
        ? new RecursiveWatcher(calls, toTreeOptions(given, compile)).watch(path)
        : FSWatcher.started(addWatch, path, toPlainOptions(given, compile));
      const heard = typeof options === "function" ? options : listener;
      if (heard) watcher.addListener("change", heard as never);
      if (given.signal) closeOnAbort(watcher, given.signal);
      return watcher;
    });

  return { watch, ...watchFileForms(sys), promises: { watch: promisesWatch(calls, compile) } };
}
