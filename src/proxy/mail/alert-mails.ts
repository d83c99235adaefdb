// Mails of `email-alert`, from the events of health checks to the mailers. Each mailer of each proxy has a
// queue of its own, in which one mail is on its way at a time, as in HAProxy: a mailer that is slow or gone
// holds up nobody else. A queue is bounded; what finds no room, and what a mailer did not take, is lost, with
// a word to the operator, and never tried again.
import { parseIpAddress } from "../../base/address.ts";
import type { EmailAlerts } from "../../model/mailers.ts";
import type { LogLevel } from "../../model/rule.ts";
import { levelNumber } from "../log/log-target.ts";
import { type AlertMail, composeAlert } from "./alert-mail.ts";
import { MailDelivery, type MailEngine, type MailRoute } from "./mail-delivery.ts";

const WAITING_MAX = 100;

interface QueuedMail {
  readonly mail: AlertMail;
  readonly route: MailRoute;
}

interface MailQueue {
  readonly waiting: QueuedMail[];
  /** A mail is on its way, or its mailer is being looked for. */
  isBusy: boolean;
  delivery: MailDelivery | null;
  lostCount: number;
}

export interface AlertMailOptions {
  readonly engine: MailEngine & { readonly wallClockMs: number };
  /** As whom mailers are greeted where no `email-alert myhostname` says otherwise. */
  readonly hostName: string;
  /** The address of a mailer that is known by name; null: there is none. */
  lookUp(host: string, done: (address: string | null) => void): void;
  report(text: string): void;
}

export class AlertMails {
  readonly #options: AlertMailOptions;
  /** By proxy and mailer. */
  readonly #queues: Map<string, MailQueue> = new Map();
  #isClosed = false;

  constructor(options: AlertMailOptions) {
    this.#options = options;
  }

  /** Tells those who want to know of such. `text` is a log line. */
  tell(proxy: string, alerts: EmailAlerts, level: LogLevel, text: string): void {
    if (levelNumber(level) > levelNumber(alerts.level)) return;
    const { engine, hostName } = this.#options;
    const mail = composeAlert(alerts.from, alerts.to, text, new Date(engine.wallClockMs));
    for (const { name, host, port } of alerts.mailers) {
      const { timeoutMs } = alerts;
      const route = { host, port, timeoutMs, hostName: alerts.hostName ?? hostName };
      this.#enqueue(`mailer ${name} of ${proxy}`, { mail, route });
    }
  }

  /** What is on its way or waits is lost. */
  close(): void {
    this.#isClosed = true;
    for (const { delivery } of this.#queues.values()) delivery?.abort();
    this.#queues.clear();
  }

  #enqueue(title: string, queued: QueuedMail): void {
    let queue = this.#queues.get(title);
    if (queue === undefined) {
      queue = { waiting: [], isBusy: false, delivery: null, lostCount: 0 };
      this.#queues.set(title, queue);
    }
    if (queue.waiting.length < WAITING_MAX) queue.waiting.push(queued);
    else if (queue.lostCount++ === 0)
      this.#options.report(`${title}: ${WAITING_MAX} mails wait, further ones are lost`);
    this.#deliverNext(title, queue);
  }

  #deliverNext(title: string, queue: MailQueue): void {
    if (queue.isBusy) return;
    const next = queue.waiting.shift();
    if (next === undefined) {
      this.#queues.delete(title);
      return;
    }
    queue.isBusy = true;
    const finish = (problem: string | null) => {
      queue.isBusy = false;
      queue.delivery = null;
      if (problem !== null) this.#options.report(`${title} did not take a mail: ${problem}`);
      if (queue.waiting.length === 0 && queue.lostCount > 0)
        this.#options.report(`${title}: ${queue.lostCount} mails were lost`);
      this.#deliverNext(title, queue);
    };
    const { mail, route } = next;
    const deliverTo = (host: string) => {
      queue.delivery = new MailDelivery(mail, { ...route, host }, this.#options.engine, finish);
    };
    if (parseIpAddress(route.host) !== null) deliverTo(route.host);
    else
      this.#lookUp(route.host, (address) =>
        address === null ? finish("it has no address") : deliverTo(address),
      );
  }

  /** Nothing comes of it once all is closed. */
  #lookUp(host: string, done: (address: string | null) => void): void {
    this.#options.lookUp(host, (address) => {
      if (!this.#isClosed) done(address);
    });
  }
}
