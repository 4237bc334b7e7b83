/**
 * Events on their way to who watches: in the order in which they happened, one behind the other whatever they are about,
 * as in one instance of inotify.
 *
 * An event that is equal to the last one in the queue is not queued again, until that has been read. Nobody hears of an
 * event within the call that it is about: `wake` is called, and has them handed out when the call is over.
 *
 * What is read together is told in one go, without ticks and microtasks between: Node has these, but promise calls answer
 * in microtasks here, and there in a later turn of the event loop. Programs (chokidar) count on the answer to what they ask
 * after one event to come after its neighbours.
 *
 * @see Linux fs/notify/notification.c fsnotify_insert_event(); fs/notify/inotify/inotify_fsnotify.c inotify_merge()
 */
import { FS_ALWAYS, FS_IN_IGNORED, FS_Q_OVERFLOW } from "./fsnotify-events.ts";
import type { Mark } from "./fsnotify-mark.ts";

/** As /proc/sys/fs/inotify/max_queued_events. */
export const MAX_QUEUED_EVENTS = 16384;

interface QueuedEvent {
  readonly mark: Mark | undefined;
  readonly mask: number;
  readonly name: Uint8Array | undefined;
  /** Pairs the two halves of a rename. */
  readonly cookie: number;
}

const OVERFLOW: QueuedEvent = { mark: undefined, mask: FS_Q_OVERFLOW, name: undefined, cookie: 0 };

/** Events that nobody has heard of yet. */
export class NotifyQueue {
  readonly #wake: () => void;
  #events: QueuedEvent[] = [];

  /** @param wake called when there is something to be told again; is to call deliver(), later */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  add(mark: Mark, mask: number, name?: Uint8Array, cookie = 0): void {
    const { length } = this.#events;
    if (length > MAX_QUEUED_EVENTS) return;
    if (length > 0 && isEqual(this.#events[length - 1], mark, mask, name)) return;
    this.#events.push(length === MAX_QUEUED_EVENTS ? OVERFLOW : { mark, mask, name, cookie });
    if (length === 0) this.#wake();
  }

  /** Tells of all there is. What a listener throws, others do not hear the event for; the events behind have a turn of their own. */
  deliver(): void {
    const events = this.#events;
    this.#events = [];
    let nrTold = 0;
    try {
      for (const event of events) {
        nrTold++;
        tell(event);
      }
    } finally {
      if (nrTold < events.length) {
        if (this.#events.length === 0) this.#wake();
        this.#events = [...events.slice(nrTold), ...this.#events];
      }
    }
  }
}

function tell({ mark, mask, name, cookie }: QueuedEvent): void {
  if (mark === undefined) return;
  for (const [listener, asked] of [...mark.listeners])
    if (mask & (asked | FS_ALWAYS) && mark.listeners.has(listener)) listener(mask, name, cookie);
}

function isEqual(last: QueuedEvent, mark: Mark, mask: number, name: Uint8Array | undefined): boolean {
  if (last.mark !== mark || last.mask !== mask || mask === FS_IN_IGNORED) return false;
  if (last.name === undefined || name === undefined) return last.name === name;
  return last.name.length === name.length && last.name.every((byte, i) => byte === name[i]);
}
