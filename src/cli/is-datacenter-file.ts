// Which of the two languages a file is in, by its name: what commands that take both have to know before they
// load either reader.

/** A datacenter.yaml; everything else is an haproxy.cfg. */
export function isDatacenterFile(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}
