// Fetches on what is done with a response on its way to the client: was it compressed, did a cache have it.
// As in `sample.ts`: "type scope".

export const DELIVERY_FETCH_SIGNATURES = {
  "res.cache_hit": "bool response",
  "res.cache_name": "str response",
  "res.comp": "bool response",
  "res.comp_algo": "str response",
} as const;

export type DeliveryFetchName = keyof typeof DELIVERY_FETCH_SIGNATURES;
