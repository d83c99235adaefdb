// How `user_data` names what a completion belongs to: the low half holds the kind of operation and the slot
// of the connection or listener, the high half the low 32 bits of its id, so that a completion for an earlier
// tenant of the slot is recognised as stale.

/** Completions that need nothing done, such as those of cancellations. */
export const KIND_NONE = 0;
export const KIND_ACCEPT = 1;
export const KIND_RECEIVE = 2;
export const KIND_SEND = 3;
export const KIND_CONNECT = 4;
export const KIND_CLOSE = 5;
export const KIND_SHUTDOWN = 6;
export const KIND_LISTENER_POLL = 7;
/** A poll: there is something to receive into a large buffer. */
export const KIND_READABLE = 8;

export const KIND_MASK = 15;
export const SLOT_SHIFT = 4;
