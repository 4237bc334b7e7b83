/** A search that somebody interrupts tells what it has come to, as when its time is over; interrupted twice it is just gone. */

/** @returns what is aborted by the first SIGINT or SIGTERM */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
