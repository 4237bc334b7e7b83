/** watchFile() and unwatchFile(): one StatWatcher for each path. @see Node 26 documentation of fs.watchFile() */
import type { Syscalls } from "../../vfs/syscalls.ts";
import { argTypeError } from "../errors.ts";
import { toAbsolute } from "../operations/absolute-path.ts";
import { toPath } from "../paths.ts";
import { beginAtCaller } from "../surfaces.ts";
import { checkCallback, checkUint32 } from "../validators.ts";
import { StatWatcher } from "./stat-watcher.ts";

/** What libev used, as Node has it, ms. */
const DEFAULT_INTERVAL_MS = 5007;

type Listener = (...args: unknown[]) => void;

interface WatchFileOptions {
  interval: unknown;
  persistent: unknown;
  bigint?: unknown;
}

/** The two functions, for one face. */
export function watchFileForms(sys: Syscalls) {
  const watchers = new Map<string, StatWatcher>();

  const absolute = (given: unknown): string => {
    const path = toPath(given);
    if (typeof path !== "string") throw argTypeError("paths[0]", "string", given);
    return toAbsolute(sys, path);
  };

  const watchFile = (filename: unknown, options: unknown, listener?: unknown): StatWatcher => {
    const path = absolute(filename);
    const hasOptions = typeof options === "object" && options !== null;
    const heard = hasOptions ? listener : options;
    const given: WatchFileOptions = {
      interval: DEFAULT_INTERVAL_MS,
      persistent: true,
      ...(hasOptions ? options : undefined),
    };
    checkCallback(heard, "listener");
    let watcher = watchers.get(path);
    if (watcher !== undefined) watcher.joined();
    else {
      checkUint32(given.interval, "interval");
      watcher = new StatWatcher(sys, path, Boolean(given.bigint), given.interval, Boolean(given.persistent));
      watchers.set(path, watcher);
    }
    return watcher.addListener("change", heard as unknown as Listener);
  };

  const unwatchFile = (filename: unknown, listener?: unknown): void => {
    const path = absolute(filename);
    const watcher = watchers.get(path);
    if (watcher === undefined) return;
    if (typeof listener === "function") {
      const before = watcher.listenerCount("change");
      watcher.removeListener("change", listener as Listener);
      if (watcher.listenerCount("change") < before) watcher.left();
    } else watcher.removeAllListeners("change");
    if (watcher.listenerCount("change") > 0) return;
    watcher.stop();
    watchers.delete(path);
  };

  return {
    watchFile: beginAtCaller(watchFile as never, 3),
    unwatchFile: beginAtCaller(unwatchFile as never, 2),
  };
}
