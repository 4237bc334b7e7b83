/** Waiting for what may never come. */
import { elapsed } from "./streams/log.ts";

/**
 * Calls `over` when nothing has come for `ms`. A process that stood still hears of its timers before it hears of what has
 * come meanwhile, so that is given time, too.
 */
export function whenNothingComes(ms: number, over: () => void): NodeJS.Timeout {
  return setTimeout(() => void elapsed(5).then(over), ms);
}
