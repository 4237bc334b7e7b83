/**
 * Events on their way to who watches: in the order in which they happened, one behind the other whatever they are about,
 * as in one instance of inotify.
 *
 * An event that is equal to the last one in the queue, if that has not been read, is not queued again. Nobody hears of an
 * event within the call that it is about: for each one `wake` is called, and hands out the next when the call is over.
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
  #events: QueuedEvent[] = [];
  /** Events that have been handed out. */
  #head = 0;
  /** Events that have been read: no other is merged with them. */
  #read = 0;

  /** @param wake called once for each event; is to call deliverNext(), later */
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

  /** Tells of the next event those who listen at this moment. What one throws, the others do not hear the event for. */
  deliverNext(): void {
    if (this.#head >= this.#read) this.#read = this.#events.length; // as one read(2) takes all there is
    const event = this.#events[this.#head++];
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
      this.#read = 0;
    }
    if (event?.mark === undefined) return;
    const { mark, mask, name, cookie } = event;
    for (const listener of [...mark.listeners]) if (mark.listeners.has(listener)) listener(mask, name, cookie);
  }
}

function isEqual(last: QueuedEvent, mark: Mark, mask: number, name: Uint8Array | undefined): boolean {
  if (last.mark !== mark || last.mask !== mask || mask === FS_IN_IGNORED) return false;
  if (last.name === undefined || name === undefined) return last.name === name;
  return last.name.length === name.length && last.name.every((byte, i) => byte === name[i]);
}
