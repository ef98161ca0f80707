// Package exchange fetches flags from hash-sharing programmes, lists and homeservers into banks of the library. docs/exchanges.md
// describes it for operators.
//
// A fetch is a loop over the pages of one source:
//
//	lock the exchange ──► page of the source ──► entries ──► one transaction: records, flags, checkpoint ──► … ──► the source's end
//
// A source is a small client of one programme, which turns the page behind a checkpoint into entries. The library keeps which
// entries stand behind a flag (matchdb.ExchangeFetch); a flag goes with its last entry.
//
//	interrupted, or an error      the next fetch goes on behind the checkpoint; what is stored stays
//	checkpoint older than the     all is fetched anew, and what does not come again is dropped
//	programme keeps deletions
//	429, 5xx, connection broken   tried again, after Retry-After or with back-off, a few times
//	401, 403, 404, no answer of   the fetch ends with one line that says what to do
//	this API
package exchange
