/**
 * Events on their way to who watches: in the order in which they happened, one behind the other whatever they are about,
 * as in one instance of inotify.
 *
 * An event that is equal to the last one in the queue, if that has not been read, is not queued again. Nobody hears of an
 * event within the call that it is about: for each one `wake` is called, and once more for each further
 * listener; it hands out the next when the call is over.
 *
 * @see Linux fs/notify/notification.c fsnotify_insert_event(); fs/notify/inotify/inotify_fsnotify.c inotify_merge()
 */
import { FS_IN_IGNORED, FS_Q_OVERFLOW } from "./fsnotify-events.ts";
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
  /** Listeners that have not heard of the event at hand. */
  readonly #told: (() => boolean)[] = [];
  #events: QueuedEvent[] = [];
  /** Events that have been handed out. */
  #head = 0;
  /** Events that have been read: no other is merged with them. */
  #read = 0;

  /** @param wake called as often as somebody is to be told of something; is to call deliverNext(), later */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  add(mark: Mark, mask: number, name?: Uint8Array, cookie = 0): void {
    const { length } = this.#events;
    if (length - this.#head > MAX_QUEUED_EVENTS) return;
    if (length > this.#read && isEqual(this.#events[length - 1], mark, mask, name)) return;
    this.#events.push(length - this.#head === MAX_QUEUED_EVENTS ? OVERFLOW : { mark, mask, name, cookie });
    this.#wake();
  }

  /**
   * Tells one listener of an event: the next of those who listened when the first of them was told, as long as they do. So
   * whatever is to run between two callbacks does.
   */
  deliverNext(): void {
    for (let next = this.#told.shift(); next !== undefined; next = this.#told.shift()) if (next()) return;
    this.#takeNext();
  }

  #takeNext(): void {
    if (this.#head >= this.#read) this.#read = this.#events.length; // as one read(2) takes all there is
    const event = this.#events[this.#head++];
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
      this.#read = 0;
    }
    if (event?.mark === undefined) return;
    const { mark, mask, name, cookie } = event;
    const [first, ...others] = mark.listeners;
    for (const listener of others) {
      this.#told.push(() => {
        if (!mark.listeners.has(listener)) return false;
        listener(mask, name, cookie);
        return true;
      });
      this.#wake();
    }
    first?.(mask, name, cookie);
  }
}

function isEqual(last: QueuedEvent, mark: Mark, mask: number, name: Uint8Array | undefined): boolean {
  if (last.mark !== mark || last.mask !== mask || mask === FS_IN_IGNORED) return false;
  if (last.name === undefined || name === undefined) return last.name === name;
  return last.name.length === name.length && last.name.every((byte, i) => byte === name[i]);
}
